// Node-RED 4.1 with node-red-contrib-influxdb 0.7: a flow that writes and reads, driven over HTTP.
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const RED = require('node-red')
const { url, host, port, org, token, user, password, database, version, check, stored, equal } = require('./cases.cjs')

version('node-red-contrib-influxdb')

const tab = { id: 'tab', type: 'tab', label: 'clients' }
const v1 = (id) => ({ id, type: 'influxdb', hostname: host, port: String(port), protocol: 'http', database, name: '', influxdbVersion: '1.x' })
const v2 = (id) => ({ id, type: 'influxdb', url, name: '', influxdbVersion: '2.0', timeout: 10, rejectUnauthorized: true })
const node = (id, type, fields, next) => ({ id, type, z: 'tab', x: 0, y: 0, ...fields, wires: next ? [[next]] : [] })
const entry = (id, next) => node(id, 'http in', { url: '/' + id, method: 'post' }, next)
const out = (id, influxdb) => node(id, 'influxdb out', {
  influxdb, measurement: 'cpu', precision: 's', retentionPolicy: '', database, org, bucket: database, precisionV18FluxV20: 's' })
const set = (id, property, from, next) => node(id, 'change', { rules: [{ t: 'set', p: property, pt: 'msg', to: from, tot: 'msg' }] }, next)

// What writes has no output: a `complete` node answers for it, and a `catch` node for what failed.
const flows = [
  tab, v1('good'), v1('as-user'), v1('wrong'), v2('by-token'),
  entry('write', 'write-out'), out('write-out', 'good'),
  entry('write-as-user', 'user-out'), out('user-out', 'as-user'),
  entry('write-wrong', 'wrong-out'), out('wrong-out', 'wrong'),
  entry('write-by-token', 'token-out'), out('token-out', 'by-token'),
  entry('batch', 'batch-out'), node('batch-out', 'influxdb batch', { influxdb: 'good', precision: 'ms', retentionPolicy: 'autogen' }),
  entry('query', 'query-text'), set('query-text', 'query', 'payload.q', 'query-in'),
  node('query-in', 'influxdb in', { influxdb: 'good', query: '', rawOutput: false, precision: 's' }, 'answer'),
  node('completed', 'complete', { scope: ['write-out', 'user-out', 'wrong-out', 'token-out', 'batch-out'] }, 'answer'),
  node('answer', 'http response', { statusCode: '200' }),
  node('failed', 'catch', { scope: null }, 'reason'),
  set('reason', 'payload', 'error.message', 'failure'),
  node('failure', 'http response', { statusCode: '500' }),
]

async function start() {
  const userDir = fs.mkdtempSync(path.join(os.tmpdir(), 'node-red-'))
  fs.writeFileSync(path.join(userDir, 'flows.json'), JSON.stringify(flows))
  fs.writeFileSync(path.join(userDir, 'flows_cred.json'), JSON.stringify({
    good: { username: 'any', password: token }, 'as-user': { username: user, password },
    wrong: { username: 'any', password: 'wrong' }, 'by-token': { token } }))
  const app = require('express')()
  const server = http.createServer(app)
  RED.init(server, {
    userDir, flowFile: 'flows.json', credentialSecret: false, httpAdminRoot: false, httpNodeRoot: '/',
    functionExternalModules: false, telemetry: { enabled: false }, externalModules: { autoInstall: false },
    logging: { console: { level: 'off' } } })
  app.use('/', RED.httpNode)
  const started = new Promise((resolve) => RED.events.once('flows:started', resolve))
  await RED.start()
  await started
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { userDir, base: `http://127.0.0.1:${server.address().port}/` }
}

async function main() {
  const { userDir, base } = await start()
  const post = async (to, payload) => {
    const answer = await fetch(base + to, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(payload) })
    return [answer.status, await answer.text()]
  }
  const query = (statement) => post('query', { q: statement })
  await check('write', 'a point with tags', async () => {
    equal((await post('write', [{ v: 1.5, s: 'x', n: '3i', time: 1 }, { room: 'k 1' }]))[0], 200)
    equal(await stored('SELECT n, room, s, v FROM cpu'), [[1, 3, 'k 1', 'x', 1.5]])
  })
  await check('write', 'a batch of several measurements', async () => {
    equal((await post('batch', [
      { measurement: '°C', fields: { value: 21.5 }, tags: { room: 'k 1' }, timestamp: 1000 },
      { measurement: 'W', fields: { value: 60 }, timestamp: 2000 }]))[0], 200)
    equal(await stored('SELECT room, value FROM "°C"'), [[1, 'k 1', 21.5]])
    equal(await stored('SELECT value FROM W'), [[2, 60]])
  })
  await check('write', 'a point in 2.0 mode', async () => {
    equal((await post('write-by-token', [{ v: 2.5, time: 2 }, { room: 'b' }]))[0], 200)
    equal(await stored("SELECT v FROM cpu WHERE room = 'b'"), [[2, 2.5]])
  })
  await check('query', 'rows', async () => {
    const [status, text] = await query('SELECT last(value) FROM "°C" GROUP BY room')
    equal([status, JSON.parse(text).map(({ last, room }) => [last, room])], [200, [[21.5, 'k 1']]])
  })
  await check('error', 'a syntax error', async () => {
    const [status, text] = await query('SELECT FROM cpu')
    equal([status, text.includes('error parsing query: found FROM')], [500, true])
  })
  await check('error', 'a field of another type', async () => {
    const [status, text] = await post('write', [{ v: 'text', time: 1 }, { room: 'k 1' }])
    equal([status, text.includes('field type conflict')], [500, true])
  })
  await check('authentication', 'a 1.x user and password', async () => {
    equal((await post('write-as-user', [{ v: 3.5, time: 3 }, { room: 'u' }]))[0], 200)
    equal(await stored("SELECT v FROM cpu WHERE room = 'u'"), [[3, 3.5]])
  })
  await check('authentication', 'a wrong password is refused', async () => {
    const [status, text] = await post('write-wrong', [{ v: 4.5 }, {}])
    equal([status, text.includes('authorization failed')], [500, true])
  })
  fs.rmSync(userDir, { recursive: true })
  process.exit(0)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
