package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const ours = "github.com/lockstep-logistics/lockstep/"

// checkModules wants one version of each third-party module, every module of ours in the
// workspace, and a replace for each of ours that a module requires, so that it builds alone.
func checkModules(t tree) []finding {
	var found []finding
	work, err := modfile.ParseWork("go.work", t["go.work"], nil)
	if err != nil {
		return []finding{{where: "go.work", what: err.Error()}}
	}
	var used []string
	for _, u := range work.Use {
		used = append(used, path.Clean(u.Path))
	}
	versions := map[string]map[string][]string{} // module → version → files
	for _, file := range sortedKeys(t) {
		if path.Base(file) != "go.mod" || t[file] == nil || strings.HasPrefix(file, "scripts/tools/") {
			continue
		}
		mod, err := modfile.Parse(file, t[file], nil)
		if err != nil {
			found = append(found, finding{where: file, what: err.Error()})
			continue
		}
		dir := path.Dir(file)
		if dir != "scripts" && !slices.Contains(used, dir) {
			found = append(found, finding{where: file, what: "go.work does not use this module"})
		}
		if want := ours + dir; mod.Module.Mod.Path != want {
			found = append(found, finding{where: file, what: "the module's path must be " + want})
		}
		found = append(found, checkOwn(file, mod)...)
		for _, r := range mod.Require {
			by := versions[r.Mod.Path]
			if by == nil {
				by = map[string][]string{}
				versions[r.Mod.Path] = by
			}
			by[r.Mod.Version] = append(by[r.Mod.Version], file)
		}
	}
	for _, mod := range sortedKeys(versions) {
		if by := versions[mod]; len(by) > 1 {
			var which []string
			for _, v := range sortedKeys(by) {
				which = append(which, fmt.Sprintf("%s in %s", v, strings.Join(by[v], ", ")))
			}
			found = append(found, finding{where: "go.mod", what: mod + " has several versions: " + strings.Join(which, "; ")})
		}
	}
	return found
}

// checkOwn looks at what a module says about our other modules.
func checkOwn(file string, mod *modfile.File) []finding {
	var found []finding
	replaced := map[string]string{}
	for _, r := range mod.Replace {
		replaced[r.Old.Path] = r.New.Path
	}
	for _, r := range mod.Require {
		name, own := strings.CutPrefix(r.Mod.Path, ours)
		if !own {
			continue
		}
		if want := relative(path.Dir(file), name); replaced[r.Mod.Path] != want {
			found = append(found, finding{where: file, what: fmt.Sprintf("needs replace %s => %s to build alone", r.Mod.Path, want)})
		}
	}
	return found
}

// relative returns the path from one folder of the repository to another.
func relative(from, to string) string {
	return strings.Repeat("../", strings.Count(from, "/")+1) + to
}
