// npm's influx 5.12, the client of Node-RED, ioBroker and many more.
const Influx = require('influx')
const { host, port, token, readToken, user, password, database, version, check, refused, stored, equal } = require('./cases.cjs')

version('influx')

const connect = (username, password, name = database) => new Influx.InfluxDB({ host, port, username, password, database: name })
const client = connect('any', token)
const plain = (rows) => rows.map((row) => ({ ...row, ...(row.time && { time: row.time.getNanoTime() }) }))

async function main() {
  await check('write', 'points of every type', async () => {
    await client.writePoints([
      { measurement: 'cpu', tags: { host: 'a b' }, fields: { v: 1.5, s: 'q"x', on: true }, timestamp: 1 },
      { measurement: 'cpu', tags: { host: 'c' }, fields: { v: 2.5 }, timestamp: 2 },
    ], { precision: 's' })
    equal(await stored('SELECT host, "on", s, v FROM cpu'), [[1, 'a b', true, 'q"x', 1.5], [2, 'c', null, null, 2.5]])
  })
  await check('write', 'the default precision and a retention policy', async () => {
    await client.writePoints([{ measurement: 'mem', fields: { used: 7 }, timestamp: '3000000000' }], { retentionPolicy: 'autogen' })
    equal(await stored('SELECT used FROM mem'), [[3, 7]])
  })
  await check('write', 'dropping a measurement', async () => {
    await client.writeMeasurement('gone', [{ fields: { v: 1 } }])
    await client.dropMeasurement('gone', database)
    equal(await client.getMeasurements(), ['cpu', 'mem'])
  })
  await check('query', 'rows with their times, and placeholders', async () => {
    const rows = await client.query('select v from cpu where host = $h', { placeholders: { h: 'a b' } })
    equal(plain(rows), [{ time: '1000000000', v: 1.5 }])
  })
  await check('query', 'several statements and groups', async () => {
    const [first, second] = await client.query(['select count(v) from cpu', 'select mean(v) from cpu group by host'])
    equal(first[0].count, 2)
    equal(second.groups().map((group) => [group.tags.host, group.rows[0].mean]), [['a b', 1.5], ['c', 2.5]])
  })
  await check('query', 'databases, series and policies', async () => {
    equal((await client.getDatabaseNames()).includes(database), true)
    equal(await client.getSeries(), ['cpu,host=a\\ b', 'cpu,host=c', 'mem'])
    const [policy] = await client.showRetentionPolicies()
    equal([policy.name, policy.default], ['autogen', true])
  })
  await check('query', 'the version from a ping', async () => {
    const [answer] = await client.ping(5000)
    equal([answer.online, answer.version.startsWith('2.9.1+headwater.')], [true, true])
  })
  await check('error', 'a syntax error', async () => {
    const error = await refused(client.query('select from cpu'))
    equal([error.res.statusCode, error.message.includes('error parsing query: found FROM')], [400, true])
  })
  await check('error', 'an unknown database', async () => {
    const error = await refused(client.query('select * from cpu', { database: 'nope' }))
    equal(error.message, 'Error from InfluxDB: database not found: nope')
    const write = await refused(client.writePoints([{ measurement: 'm', fields: { v: 1 } }], { database: 'nope' }))
    equal([write.res.statusCode, write.message.includes('database not found: \\"nope\\"')], [404, true])
  })
  await check('error', 'create database is refused in words', async () => {
    equal((await refused(client.createDatabase('other'))).message, 'Error from InfluxDB: not implemented: CREATE DATABASE')
  })
  await check('authentication', 'a 1.x user and password', async () => {
    equal(plain(await connect(user, password).query('select used from mem')), [{ time: '3000000000', used: 7 }])
  })
  await check('authentication', 'a wrong token, and a token that may not write', async () => {
    equal((await refused(connect('any', 'wrong').getDatabaseNames())).res.statusCode, 401)
    const write = connect('any', readToken).writePoints([{ measurement: 'm', fields: { v: 1 } }])
    equal((await refused(write)).res.statusCode, 403)
  })
}

main()
