// The Go 1.x client, influxdb1-client/v2, as k6, Traefik and many exporters use it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"time"

	influx "github.com/influxdata/influxdb1-client/v2"
)

var (
	url      = os.Getenv("HEADWATER_URL")
	token    = os.Getenv("HEADWATER_TOKEN")
	database = os.Getenv("HEADWATER_DATABASE")
)

func connect(username, password string) influx.Client {
	client, err := influx.NewHTTPClient(influx.HTTPConfig{Addr: url, Username: username, Password: password})
	if err != nil {
		panic(err)
	}
	return client
}

func check(kind, what string, run func() error) {
	if err := run(); err != nil {
		fmt.Printf("not ok %s %s: %s\n", kind, what, strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	fmt.Printf("ok %s %s\n", kind, what)
}

func equal(got, expected interface{}) error {
	if !reflect.DeepEqual(got, expected) {
		return fmt.Errorf("got %#v, expected %#v", got, expected)
	}
	return nil
}

// The error that a call must give contains these words.
func refused(err error, words string) error {
	if err == nil {
		return fmt.Errorf("it must be refused")
	}
	if !strings.Contains(err.Error(), words) {
		return fmt.Errorf("refused with %q, not %q", err, words)
	}
	return nil
}

func point(measurement string, tags map[string]string, fields map[string]interface{}, seconds int64) *influx.Point {
	made, err := influx.NewPoint(measurement, tags, fields, time.Unix(seconds, 0))
	if err != nil {
		panic(err)
	}
	return made
}

func write(client influx.Client, to string, points ...*influx.Point) error {
	batch, err := influx.NewBatchPoints(influx.BatchPointsConfig{Database: to, Precision: "s"})
	if err != nil {
		return err
	}
	batch.AddPoints(points)
	return client.Write(batch)
}

// The rows of a query, times in seconds, as JSON.
func rows(response *influx.Response, err error) (string, error) {
	if err == nil {
		err = response.Error()
	}
	if err != nil {
		return "", err
	}
	text := []string{}
	for _, result := range response.Results {
		for _, series := range result.Series {
			row, err := json.Marshal([]interface{}{series.Name, series.Tags, series.Values})
			if err != nil {
				return "", err
			}
			text = append(text, string(row))
		}
	}
	return strings.Join(text, " "), nil
}

func query(client influx.Client, statement string) (string, error) {
	return rows(client.Query(influx.NewQuery(statement, database, "s")))
}

func answers(client influx.Client, statement, expected string) error {
	got, err := query(client, statement)
	if err != nil {
		return err
	}
	return equal(got, expected)
}

func main() {
	show := exec.Command("dpkg-query", "--show", "--showformat=${Version}", "golang-github-influxdata-influxdb1-client-dev")
	version, _ := show.Output()
	fmt.Printf("version %s\n", version)
	client := connect("any", token)
	fields := func(v interface{}) map[string]interface{} { return map[string]interface{}{"v": v} }

	check("write", "points of every type", func() error {
		all := map[string]interface{}{"v": 1.5, "n": 3, "s": `q"x`, "on": true}
		err := write(client, database,
			point("cpu", map[string]string{"host": "a b"}, all, 1),
			point("cpu", map[string]string{"host": "c"}, fields(2.5), 2))
		if err != nil {
			return err
		}
		return answers(client, `SELECT host, n, "on", s, v FROM cpu`,
			`["cpu",null,[[1,"a b",3,true,"q\"x",1.5],[2,"c",null,null,null,2.5]]]`)
	})
	check("query", "groups by tag, and several statements", func() error {
		return answers(client, "SELECT mean(v) FROM cpu GROUP BY host; SHOW MEASUREMENTS",
			`["cpu",{"host":"a b"},[[0,1.5]]] ["cpu",{"host":"c"},[[0,2.5]]] ["measurements",null,[["cpu"]]]`)
	})
	check("query", "bound parameters", func() error {
		parameters := map[string]interface{}{"host": "c"}
		got, err := rows(client.Query(influx.NewQueryWithParameters("SELECT v FROM cpu WHERE host = $host", database, "s", parameters)))
		if err != nil {
			return err
		}
		return equal(got, `["cpu",null,[[2,2.5]]]`)
	})
	check("query", "chunks", func() error {
		chunked := influx.NewQuery("SELECT v FROM cpu", database, "s")
		chunked.Chunked, chunked.ChunkSize = true, 1
		got, err := rows(client.Query(chunked))
		if err != nil {
			return err
		}
		return equal(got, `["cpu",null,[[1,1.5]]] ["cpu",null,[[2,2.5]]]`)
	})
	check("query", "ping and version", func() error {
		_, version, err := client.Ping(5 * time.Second)
		if err != nil {
			return err
		}
		return equal(strings.HasPrefix(version, "2.9.1+headwater."), true)
	})
	check("error", "a syntax error", func() error {
		_, err := query(client, "SELECT FROM cpu")
		return refused(err, "error parsing query: found FROM")
	})
	check("error", "an unknown database, and a partial write", func() error {
		if err := refused(write(client, "nope", point("m", nil, fields(1), 1)), `database not found: \"nope\"`); err != nil {
			return err
		}
		return refused(write(client, database, point("cpu", nil, fields("text"), 3)), "partial write: field type conflict")
	})
	check("error", "CREATE DATABASE is refused in words", func() error {
		_, err := query(client, "CREATE DATABASE other")
		return refused(err, "not implemented: CREATE DATABASE")
	})
	check("authentication", "a 1.x user and password", func() error {
		user := connect(os.Getenv("HEADWATER_USER"), os.Getenv("HEADWATER_PASSWORD"))
		return answers(user, "SELECT v FROM cpu WHERE host = 'c'", `["cpu",null,[[2,2.5]]]`)
	})
	check("authentication", "a wrong token, and a token that may not write", func() error {
		_, err := query(connect("any", "wrong"), "SHOW DATABASES")
		if err := refused(err, "authorization failed"); err != nil {
			return err
		}
		reader := connect("any", os.Getenv("HEADWATER_READ_TOKEN"))
		return refused(write(reader, database, point("m", nil, fields(1), 1)), "not authorized to write")
	})
}
