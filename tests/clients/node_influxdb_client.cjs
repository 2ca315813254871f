// npm's @influxdata/influxdb-client 1.35: the 2.x client, which writes. It reads Flux, which is not
// offered, so queries go to `/query` through its own transport.
const { InfluxDB, Point } = require('@influxdata/influxdb-client')
const { url, org, token, readToken, database, version, check, refused, stored, equal } = require('./cases.cjs')

version('@influxdata/influxdb-client')

const writer = (options = {}) =>
  new InfluxDB({ url, token: options.token ?? token })
    .getWriteApi(options.org ?? org, options.bucket ?? database, 's', { maxRetries: 0, ...options.write })

// Writes lines at once; the promise fails as the write does.
async function write(lines, options = {}) {
  const api = writer({ ...options, write: { writeFailed: () => Promise.resolve(), ...options.write } })
  api.writeRecords(lines)
  let failure
  api.writeOptions.writeFailed = (error) => { failure = error; return Promise.resolve() }
  await api.close().catch((error) => { failure ??= error })
  if (failure) throw failure
}

async function query(statement, withToken = token) {
  const { transport } = new InfluxDB({ url, token: withToken })
  const parameters = new URLSearchParams({ db: database, epoch: 's', q: statement })
  return (await transport.request('/query?' + parameters, '', { method: 'GET' })).results
}

async function main() {
  await check('write', 'points of every type', async () => {
    const api = writer()
    api.useDefaultTags({ dc: 'x' })
    api.writePoint(new Point('cpu').tag('host', 'a b').floatField('v', 1.5).intField('n', 3).stringField('s', 'q"x').booleanField('on', true).timestamp(1))
    api.writePoint(new Point('cpu').tag('host', 'c').floatField('v', 2.5).uintField('u', 4).timestamp(2))
    await api.close()
    equal(await stored('SELECT dc, host, n, "on", s, u, v FROM cpu'),
      [[1, 'x', 'a b', 3, true, 'q"x', null, 1.5], [2, 'x', 'c', null, null, null, 4, 2.5]])
  })
  await check('write', 'line protocol packed with gzip, bucket named by database and policy', async () => {
    await write([`mem used=7i 3`], { write: { gzipThreshold: 1 } })
    equal(await stored('SELECT used FROM mem'), [[3, 7]])
  })
  await check('query', "InfluxQL through the client's transport", async () => {
    equal(await query('SELECT v FROM cpu'), [{ statement_id: 0, series: [
      { name: 'cpu', columns: ['time', 'v'], values: [[1, 1.5], [2, 2.5]] }] }])
  })
  await check('error', 'a line that cannot be parsed', async () => {
    const error = await refused(write(['m v=']))
    equal([error.statusCode, error.code, error.message], [400, 'invalid', "unable to parse 'm v=': missing field value"])
  })
  await check('error', 'an unknown bucket', async () => {
    const error = await refused(write(['m v=1'], { bucket: 'nope' }))
    equal([error.statusCode, error.message], [404, 'bucket "nope" not found'])
  })
  await check('error', 'Flux is refused in words', async () => {
    const error = await refused(new InfluxDB({ url, token }).getQueryApi(org).collectRows('buckets()'))
    equal([error.statusCode, error.message], [501, 'Flux is not supported; send InfluxQL to /query'])
  })
  await check('authentication', 'a wrong token, and a token that may not write', async () => {
    equal((await refused(query('SHOW DATABASES', 'wrong'))).statusCode, 401)
    equal((await refused(write(['m v=1'], { token: 'wrong' }))).statusCode, 401)
    equal((await refused(write(['m v=1'], { token: readToken }))).statusCode, 403)
  })
}

main()
