package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tree is what the checks read: the files of the repository by their slash-separated path.
type tree map[string][]byte

// skipped are folders that hold no source of ours.
var skipped = map[string]bool{"bin": true, "data": true, "node_modules": true, "third_party": true, "testdata": true}

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
			if path != root && (skipped[name] || strings.HasPrefix(name, ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if kinds[filepath.Ext(name)] || name == "Makefile" {
			t[rel], err = os.ReadFile(path)
			return err
		}
		t[rel] = nil // only known to be there
		return nil
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
