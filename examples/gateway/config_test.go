package main

import (
	"strings"
	"testing"
	"time"
)

const goodConfig = `{
	"tokens": {"alice": "0123456789abcdef", "bob": "$BOB"},
	"upstreams": {
		"reports": {"addresses": ["http://127.0.0.1:9001", "unix:/run/reports"], "balance": "hash:X-Tenant",
			"connections": 8, "try_for": "10s", "try_every": "250ms",
			"check": {"path": "/health", "every": "5s", "timeout": "1s"}}
	},
	"routes": [{"pattern": "GET /reports/{rest...}", "upstream": "reports", "strip_prefix": "/reports", "timeout": "1m"}]
}`

func environment(name string) string {
	if name == "BOB" {
		return "fedcba9876543210"
	}
	return ""
}

func TestConfig(t *testing.T) {
	c, err := parseConfig([]byte(goodConfig), environment)
	if err != nil {
		t.Fatal(err)
	}
	u := c.Upstreams["reports"]
	if c.Tokens["bob"] != "fedcba9876543210" || len(u.Addresses) != 2 || time.Duration(u.TryFor) != 10*time.Second || time.Duration(c.Routes[0].Timeout) != time.Minute {
		t.Errorf("The configuration is not what the file says: %+v.", c)
	}
}

func TestConfigThatIsWrong(t *testing.T) {
	for _, c := range []struct{ what, from, to, sentence string }{
		{"a name that nothing has", `"connections"`, `"conections"`, `json: unknown field "conections"`},
		{"a time without a unit", `"10s"`, `10`, `a time is written like "10s" or "250ms", and not 10`},
		{"a time below zero", `"10s"`, `"-10s"`, `a time is written like "10s" or "250ms", and not "-10s"`},
		{"a comma too many", `"1s"}}`, `"1s"},}`, `line 6: invalid character '}'`},
		{"something of another type", `8,`, `"8",`, `line 5: `},
		{"something behind it", `"1m"}]` + "\n}", `"1m"}]` + "\n} {}", `there is something behind the configuration`},
		{"a variable that is empty", `$BOB`, `$CAROL`, `the token of "bob" is to be in the environment variable CAROL, which is empty`},
		{"a short token", `0123456789abcdef`, `0123456789`, `the token of "alice" has fewer than 16 characters`},
		{"no addresses", `["http://127.0.0.1:9001", "unix:/run/reports"]`, `[]`, `the upstream "reports": it has no addresses`},
		{"a balance that does not exist", `hash:X-Tenant`, `random`, `balance is "random"`},
		{"a hash of nothing", `hash:X-Tenant`, `hash:`, `balance is "hash:"`},
		{"connections below zero", `8,`, `-8,`, `connections is -8`},
		{"a check of no path", `/health`, `health`, `the path of its check is "health"`},
		{"an upstream that does not exist", `"upstream": "reports"`, `"upstream": "report"`, `there is no upstream "report"`},
		{"a prefix with a slash behind", `"strip_prefix": "/reports"`, `"strip_prefix": "/reports/"`, `strip_prefix is "/reports/"`},
		{"no pattern", `GET /reports/{rest...}`, ``, `it has no pattern`},
		{"a door that nobody can pass", `"alice": "0123456789abcdef", "bob": "$BOB"`, ``, `there are no tokens: nobody could use it`},
	} {
		text := strings.Replace(goodConfig, c.from, c.to, 1)
		if text == goodConfig {
			t.Fatalf("The case %s changes nothing.", c.what)
		}
		if _, err := parseConfig([]byte(text), environment); err == nil || !strings.Contains(err.Error(), c.sentence) {
			t.Errorf("A configuration with %s should be refused with %q, and gives %v.", c.what, c.sentence, err)
		}
	}
	if _, err := parseConfig([]byte(`{}`), environment); err == nil || !strings.Contains(err.Error(), "there are no routes") {
		t.Errorf("A configuration without routes gives %v.", err)
	}
}
