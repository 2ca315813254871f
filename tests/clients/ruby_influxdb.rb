# Ruby's influxdb 0.8.1, which sends every query as a GET.
require "influxdb"
require "json"
require "net/http"

URI_BASE = URI(ENV.fetch("HEADWATER_URL"))
TOKEN = ENV.fetch("HEADWATER_TOKEN")
DATABASE = ENV.fetch("HEADWATER_DATABASE")

def connect(password, username: "any", **options)
  InfluxDB::Client.new(DATABASE, host: URI_BASE.host, port: URI_BASE.port, username: username,
                       password: password, retry: 0, time_precision: "s", **options)
end

def check(kind, what)
  yield
  puts "ok #{kind} #{what}"
rescue StandardError, SystemStackError => error
  puts "not ok #{kind} #{what}: #{error.class}: #{error.message.tr("\n", " ")}"
end

def equal(got, expected)
  raise "got #{got.inspect}, expected #{expected.inspect}" unless got == expected
end

def refused(error)
  yield
  raise "no #{error} was raised"
rescue error => raised
  raised
end

# What the database holds, asked without the client.
def stored(statement)
  uri = URI_BASE.dup
  uri.path = "/query"
  uri.query = URI.encode_www_form(db: DATABASE, epoch: "s", q: statement)
  answer = Net::HTTP.get_response(uri, "Authorization" => "Token #{TOKEN}")
  series = JSON.parse(answer.body)["results"][0]["series"]
  series ? series[0]["values"] : []
end

puts "version #{InfluxDB::VERSION}"
InfluxDB::Logging.logger = false
client = connect(TOKEN)

check("write", "points of every type") do
  client.write_points([
    { series: "cpu", tags: { host: "a b" }, values: { v: 1.5, n: 3, s: 'q"x', on: true }, timestamp: 1 },
    { series: "cpu", tags: { host: "c" }, values: { v: 2.5 }, timestamp: 2 },
  ])
  equal(stored('SELECT host, n, "on", s, v FROM cpu'), [[1, "a b", 3, true, 'q"x', 1.5], [2, "c", nil, nil, nil, 2.5]])
end

check("write", "a point of a retention policy") do
  client.write_point("mem", { values: { used: 7 }, timestamp: 3 }, "s", "autogen")
  equal(stored("SELECT used FROM mem"), [[3, 7]])
end

check("query", "rows and groups") do
  equal(client.query("SELECT v FROM cpu", epoch: "s"),
        [{ "name" => "cpu", "tags" => nil, "values" => [{ "time" => 1, "v" => 1.5 }, { "time" => 2, "v" => 2.5 }] }])
  groups = client.query("SELECT mean(v) FROM cpu GROUP BY host", epoch: "s")
  equal(groups.map { |group| [group["tags"]["host"], group["values"][0]["mean"]] }, [["a b", 1.5], ["c", 2.5]])
end

check("query", "parameters, and chunks") do
  rows = client.query("SELECT v FROM cpu WHERE host = %{host}", params: { host: "a b" }, epoch: "s")
  equal(rows[0]["values"], [{ "time" => 1, "v" => 1.5 }])
  chunks = connect(TOKEN, chunk_size: 1).query("SELECT v FROM cpu", epoch: "s")
  equal(chunks.flat_map { |chunk| chunk["values"].map { |row| row["v"] } }, [1.5, 2.5])
end

check("query", "databases, policies, series and the version") do
  equal(client.list_databases.include?({ "name" => DATABASE }), true)
  equal(client.list_retention_policies(DATABASE).map { |policy| [policy["name"], policy["default"]] }, [["autogen", true]])
  equal(client.list_series, ["cpu", "mem"])
  equal(client.version.start_with?("2.9.1+headwater."), true)
end

check("error", "a syntax error") do
  error = refused(InfluxDB::Error) { client.query("SELECT FROM cpu") }
  equal(error.message.include?("error parsing query: found FROM"), true)
end

check("error", "an unknown database, and a partial write") do
  error = refused(InfluxDB::Error) { InfluxDB::Client.new("nope", host: URI_BASE.host, port: URI_BASE.port, username: "any", password: TOKEN, retry: 0).write_point("m", values: { v: 1 }) }
  equal(error.message.include?("database not found"), true)
  error = refused(InfluxDB::Error) { client.write_point("mem", values: { used: "text" }, timestamp: 4) }
  equal(error.message.include?("field type conflict"), true)
end

check("error", "CREATE DATABASE is refused in words") do
  error = refused(InfluxDB::QueryError) { client.create_database("other") }
  equal(error.message, "not implemented: CREATE DATABASE")
end

check("authentication", "a 1.x user and password, in the URL and as Basic") do
  %w[params basic_auth].each do |auth_method|
    user = connect(ENV.fetch("HEADWATER_PASSWORD"), username: ENV.fetch("HEADWATER_USER"), auth_method: auth_method)
    equal(user.query("SELECT used FROM mem", epoch: "s")[0]["values"], [{ "time" => 3, "used" => 7 }])
  end
end

check("authentication", "a wrong token, and a token that may not write") do
  refused(InfluxDB::AuthenticationError) { connect("wrong").list_databases }
  error = refused(InfluxDB::Error) { connect(ENV.fetch("HEADWATER_READ_TOKEN")).write_point("m", values: { v: 1 }) }
  equal(error.message.include?("not authorized to write"), true)
end
