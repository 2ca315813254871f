// npm's @influxdata/influxdb-client-apis 1.35: the management side of the 2.x client.
const { InfluxDB } = require('@influxdata/influxdb-client')
const apis = require('@influxdata/influxdb-client-apis')
const { url, org, token, readToken, database, version, check, refused, stored, equal } = require('./cases.cjs')

version('@influxdata/influxdb-client-apis')

const influx = new InfluxDB({ url, token })
const bucketsApi = new apis.BucketsAPI(influx)
const tokensApi = new apis.AuthorizationsAPI(influx)
const organization = async () => (await new apis.OrgsAPI(influx).getOrgs({ org })).orgs[0].id

async function main() {
  await check('write', 'a bucket and its mapping, made, changed and deleted', async () => {
    const orgID = await organization()
    const made = await bucketsApi.postBuckets({ body: { orgID, name: 'from-node', retentionRules: [] } })
    const dbrps = new apis.DbrpsAPI(influx)
    const mapping = await dbrps.postDBRP({ body: { orgID, bucketID: made.id, database: 'node', retention_policy: 'rp', default: true } })
    equal((await dbrps.getDBRPs({ orgID, db: 'node' })).content, [mapping])
    await dbrps.patchDBRPID({ dbrpID: mapping.id, orgID, body: { retention_policy: 'other' } })
    equal((await dbrps.getDBRPsID({ dbrpID: mapping.id, orgID })).content.retention_policy, 'other')
    equal((await bucketsApi.patchBucketsID({ bucketID: made.id, body: { description: 'changed' } })).description, 'changed')
    await bucketsApi.deleteBucketsID({ bucketID: made.id })
    equal((await dbrps.getDBRPs({ orgID, db: 'node' })).content, [])
  })
  await check('write', 'line protocol, and deletion by predicate', async () => {
    const body = 'cpu,host=a v=1 1\ncpu,host=b v=2 2'
    await new apis.WriteAPI(influx).postWrite({ org, bucket: database, precision: 's', body })
    const range = { start: '1970-01-01T00:00:00Z', stop: '1970-01-02T00:00:00Z' }
    await new apis.DeleteAPI(influx).postDelete({ org, bucket: database, body: { ...range, predicate: 'host="a"' } })
    equal(await stored('SELECT host, v FROM cpu'), [[2, 'b', 2]])
  })
  await check('query', 'health, readiness, setup and the caller', async () => {
    equal((await new apis.HealthAPI(influx).getHealth()).status, 'pass')
    equal((await new apis.ReadyAPI(influx).getReady()).status, 'ready')
    equal((await new apis.SetupAPI(influx).getSetup()).allowed, false)
    equal((await new apis.MeAPI(influx).getMe()).name, 'admin')
    equal((await new apis.RootAPI(influx).getRoutes()).write, '/api/v2/write')
  })
  await check('query', 'users, made, found and deleted', async () => {
    const users = new apis.UsersAPI(influx)
    const made = await users.postUsers({ body: { name: 'from-node' } })
    equal((await users.getUsers({ name: 'from-node' })).users.map(({ id }) => id), [made.id])
    await users.postUsersIDPassword({ userID: made.id, body: { password: 'a-password' } })
    await users.deleteUsersID({ userID: made.id })
    equal((await refused(users.getUsersID({ userID: made.id }))).statusCode, 404)
  })
  await check('error', 'a bucket of a name that exists', async () => {
    const body = { orgID: await organization(), name: database, retentionRules: [] }
    const error = await refused(bucketsApi.postBuckets({ body }))
    equal([error.statusCode, error.code, error.message], [422, 'conflict', `bucket with name ${database} already exists`])
  })
  await check('authentication', 'a token is made, made inactive, and deleted', async () => {
    const orgID = await organization()
    const permissions = [{ action: 'read', resource: { type: 'buckets', orgID } }]
    const made = await tokensApi.postAuthorizations({ body: { orgID, permissions } })
    const names = async () =>
      (await new apis.BucketsAPI(new InfluxDB({ url, token: made.token })).getBuckets({ name: database })).buckets.map(({ name }) => name)
    equal(await names(), [database])
    await tokensApi.patchAuthorizationsID({ authID: made.id, body: { status: 'inactive' } })
    equal(await names(), [])
    await tokensApi.deleteAuthorizationsID({ authID: made.id })
    equal((await refused(names())).statusCode, 401)
  })
  await check('authentication', 'sessions by name and password', async () => {
    const signin = new apis.SigninAPI(new InfluxDB({ url }))
    await signin.postSignin({ auth: { user: 'admin', password: 'a-password' } })
    equal((await refused(signin.postSignin({ auth: { user: 'admin', password: 'wrong' } }))).statusCode, 401)
  })
  await check('authentication', 'a token that may only read makes nothing', async () => {
    const reader = new apis.BucketsAPI(new InfluxDB({ url, token: readToken }))
    const error = await refused(reader.postBuckets({ body: { orgID: await organization(), name: 'x', retentionRules: [] } }))
    equal([error.statusCode, error.code], [401, 'unauthorized'])
  })
}

main()
