package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	work    = "go 1.26.0\n\nuse (\n\t./libs\n\t./services/order\n)\n"
	libsMod = "module github.com/lockstep-logistics/lockstep/libs\n\nrequire example.test/x v1.0.0\n"
	ordMod  = "module github.com/lockstep-logistics/lockstep/services/order\n\nrequire (\n\texample.test/x v1.0.0\n" +
		"\tgithub.com/lockstep-logistics/lockstep/libs v0.0.0\n)\n\nreplace github.com/lockstep-logistics/lockstep/libs => ../../libs\n"
	makefile = "test: parts ## run\nproto-check:\n"
)

func repo(changes map[string]string) tree {
	t := tree{
		"go.work": []byte(work), "libs/go.mod": []byte(libsMod), "services/order/go.mod": []byte(ordMod), "Makefile": []byte(makefile),
		"libs/store/store.go": []byte("// Package store stores.\npackage store\n"),
		"README.md":           []byte("# Title\n\n## Two commands\n\n[libs](libs/store/store.go) [below](#two-commands) `make test` `go test ./libs/...`\n"),
	}
	for path, text := range changes {
		t[path] = []byte(text)
	}
	return t
}

// in answers whether one of the findings has the text.
func in(found []finding, text string) bool {
	for _, f := range found {
		if strings.Contains(f.where+": "+f.what, text) {
			return true
		}
	}
	return false
}

func TestRepositoryRules(t *testing.T) {
	long := "package store\n\nfunc f() {\n" + strings.Repeat("\tprintln()\n", 60) + "}\n"
	for name, c := range map[string]struct{ path, text, want string }{
		"good":                      {"x.txt", "", ""},
		"two versions":              {"libs/go.mod", strings.Replace(libsMod, "v1.0.0", "v1.0.1", 1), "example.test/x has several versions"},
		"module not in workspace":   {"gateway/go.mod", "module github.com/lockstep-logistics/lockstep/gateway\n", "gateway/go.mod: go.work does not use"},
		"module of another name":    {"libs/go.mod", strings.Replace(libsMod, "/libs", "/lib", 1), "the module's path must be"},
		"no replace":                {"services/order/go.mod", strings.Replace(ordMod, "replace ", "// ", 1), "to build alone"},
		"libs import a service":     {"libs/a.go", importing("services/order"), "libs must not import services/order"},
		"service imports another":   {"services/order/a.go", importing("services/stock"), "services/order must not import services/stock"},
		"gateway imports a service": {"gateway/a.go", importing("services/order"), "gateway must not import"},
		"suite imports a service":   {"services/suite/a.go", importing("services/order"), ""},
		"service imports libs":      {"services/order/a.go", importing("libs/store"), ""},
		"a float in a service":      {"services/order/a.go", "package order\n\ntype line struct {\n\tWeight float64 `bson:\"w\"`\n}\n", "services/order/a.go:4: float64 is floating point"},
		"a float by its value":      {"services/order/a.go", "package order\n\nvar tax = 1.19\n", "services/order/a.go:3: 1.19 is floating point"},
		"a float near quantities":   {"libs/quantity/a.go", "package quantity\n\nfunc f(x float32) {}\n", "libs/quantity/a.go:3: float32"},
		"a float that measures":     {"services/suite/a.go", "package suite\n\nvar rate float64\n", ""},
		"a float of a test":         {"services/order/a_test.go", "package order\n\nvar rate float64\n", ""},
		"long function":             {"libs/store/a.go", long, "func f has 62 lines"},
		"long file":                 {"libs/store/a.go", "package store\n" + strings.Repeat("\n", 400), "401 lines"},
		"dead link":                 {"libs/README.md", "[x](store/stor.go)", "libs/README.md:1: the link leads to libs/store/stor.go"},
		"dead anchor":               {"libs/README.md", "[x](../README.md#three-commands)", "no heading #three-commands"},
		"link in code":              {"libs/README.md", "`[x](nowhere)`", ""},
		"unknown target":            {"libs/README.md", "run `make tests` first", "no target tests"},
		"known target in a block":   {"libs/README.md", "```sh\nmake proto-check\n```", ""},
		"prose is no target":        {"libs/README.md", "we make things", ""},
		"unknown path":              {"libs/README.md", "`go run ./services/x`", "there is no services/x"},
		"path beside the document":  {"libs/README.md", "`go run ./store`", ""},
		"unfinished":                {"libs/README.md", "TODO: write", "unfinished"},
	} {
		t.Run(name, func(t *testing.T) {
			r := repo(map[string]string{c.path: c.text})
			found := append(append(checkModules(r), checkSources(r)...), checkDocuments(r)...)
			if c.want == "" && len(found) > 0 || c.want != "" && !in(found, c.want) {
				t.Errorf("findings %v, want %q", found, c.want)
			}
		})
	}
}

// TestCrashPoints: every point is hit outside tests and struck at by a case.
func TestCrashPoints(t *testing.T) {
	const imports = "package a\n\nimport \"" + ours + "libs/faultpoint\"\n\n"
	for name, c := range map[string]struct{ path, text, want string }{
		"good":                {"x.txt", "", ""},
		"hit nowhere":         {"libs/bus/bus.go", "package bus\n", "libs/faultpoint/faultpoint.go:4: C1 is hit nowhere"},
		"hit by a test alone": {"libs/bus/bus.go", imports + "func a() {}\n", "C1 is hit nowhere"},
		"struck by no case":   {"services/suite/faults/a_test.go", imports, "no case in services/suite/faults/ strikes at C1"},
		"hit by a text":       {"libs/bus/b.go", imports + "func b() { _ = faultpoint.Hit(\"C9\") }\n", "libs/bus/b.go:5: a point is hit by its name"},
		"names are gone":      {"libs/faultpoint/faultpoint.go", "", "libs/faultpoint/faultpoint.go: "},
	} {
		t.Run(name, func(t *testing.T) {
			r := tree{
				"libs/faultpoint/faultpoint.go":   []byte("package faultpoint\n\nconst (\n\tC1 = \"C1\"\n)\n"),
				"libs/bus/bus.go":                 []byte(imports + "func a() { _ = faultpoint.Hit(faultpoint.C1) }\n"),
				"libs/bus/bus_test.go":            []byte(imports + "func b() { _ = faultpoint.Hit(faultpoint.C1) }\n"),
				"services/suite/faults/a_test.go": []byte(imports + "var points = []string{faultpoint.C1}\n"),
			}
			r[c.path] = []byte(c.text)
			found := checkPoints(r)
			if c.want == "" && len(found) > 0 || c.want != "" && !in(found, c.want) {
				t.Errorf("findings %v, want %q", found, c.want)
			}
		})
	}
}

func importing(pkg string) string {
	return "package a\n\nimport _ \"github.com/lockstep-logistics/lockstep/" + pkg + "\"\n"
}

func TestLoadReadsOursAndKnowsTheRest(t *testing.T) {
	root := t.TempDir()
	for _, p := range []string{"a.go", "x/data/b.go", "x/testdata/c.go", "data/d.go", ".ci/run"} {
		path := filepath.Join(root, p)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("package p\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, read := range map[string]bool{"a.go": true, "x/data/b.go": true, "x/testdata/c.go": false, ".ci/run": false} {
		if text, there := got[path]; !there || (text != nil) != read {
			t.Errorf("%s: there %t, read %t", path, there, text != nil)
		}
	}
	if got.has("data") || !got.has("x/testdata") {
		t.Error("folders: stored data is read, or test data is not known")
	}
}
