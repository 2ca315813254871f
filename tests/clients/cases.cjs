// What the Node scripts of this folder share; as cases.py.
const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')

const env = (name) => process.env['HEADWATER_' + name]
const url = env('URL')
const token = env('TOKEN')
const database = env('DATABASE')

async function check(kind, what, run) {
  try {
    await run()
    console.log(`ok ${kind} ${what}`)
  } catch (error) {
    console.log(`not ok ${kind} ${what}: ${error}`.replaceAll('\n', ' '))
  }
}

// The error that a promise must be rejected with.
async function refused(promise) {
  const resolved = Symbol('resolved')
  const error = await promise.then(() => resolved, (error) => error)
  assert.notEqual(error, resolved, 'it must be refused')
  return error
}

// What the database holds, asked without the client: `values` with times in seconds.
async function stored(statement) {
  const query = new URLSearchParams({ db: database, epoch: 's', q: statement })
  const answer = await fetch(`${url}/query?${query}`, { headers: { Authorization: `Token ${token}` } })
  const result = (await answer.json()).results[0]
  return result.series ? result.series[0].values : []
}

module.exports = {
  url,
  host: new URL(url).hostname,
  port: Number(new URL(url).port),
  org: env('ORG'),
  token,
  readToken: env('READ_TOKEN'),
  user: env('USER'),
  password: env('PASSWORD'),
  database,
  version: (name) => console.log('version ' + JSON.parse(fs.readFileSync(path.join(process.env.NODE_PATH, name, 'package.json'))).version),
  check,
  refused,
  stored,
  equal: assert.deepStrictEqual,
}
