package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// tree is what the checks read: the files of the repository by their slash-separated path.
type tree map[string][]byte

// skipped are folders at the root that hold what is built, fetched or stored.
var skipped = map[string]bool{".git": true, ".cache": true, "bin": true, "data": true}

// foreign are folders whose files are only known to be there.
var foreign = regexp.MustCompile(`(^|/)(third_party|testdata|node_modules)/`)

// kinds are the files that a check looks into.
var kinds = map[string]bool{".go": true, ".md": true, ".mod": true, ".work": true}

// load reads the repository at root.
func load(root string) (tree, error) {
	t := tree{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if filepath.Dir(path) == filepath.Clean(root) && skipped[name] {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		t[rel] = nil
		if (kinds[filepath.Ext(name)] || name == "Makefile") && !foreign.MatchString(rel) {
			t[rel], err = os.ReadFile(path)
		}
		return err
	})
	return t, err
}

// has reports whether a file or folder is there.
func (t tree) has(path string) bool {
	if _, ok := t[path]; ok || path == "." {
		return true
	}
	for p := range t {
		if strings.HasPrefix(p, path+"/") {
			return true
		}
	}
	return false
}
