package main

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	makeTarget = regexp.MustCompile("(?:^|[`\\s])make ([a-z][a-z-]*)")
	goPath     = regexp.MustCompile(`\bgo (?:run|build|test|vet) (?:-\S+ )*(\./[A-Za-z0-9_./-]+)`)
	target     = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	codeSpan   = regexp.MustCompile("`[^`]*`")
	unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|TBD)\b`)
)

// maxLines are documents that must stay short enough to be read.
var maxLines = map[string]int{"README.md": 150, "CONTRIBUTING.md": 150}

// checkDocuments follows every relative link and looks for every make target and Go path
// that a document tells its reader to run.
func checkDocuments(t tree) []finding {
	targets := map[string]bool{}
	for _, m := range target.FindAllSubmatch(t["Makefile"], -1) {
		targets[string(m[1])] = true
	}
	var found []finding
	for _, file := range sortedKeys(t) {
		if path.Ext(file) != ".md" {
			continue
		}
		lines := strings.Split(string(t[file]), "\n")
		if limit := maxLines[file]; limit > 0 && len(lines) > limit {
			found = append(found, finding{where: file, what: fmt.Sprintf("%d lines, more than %d", len(lines), limit), warn: true})
		}
		fenced := false
		for n, line := range lines {
			at := fmt.Sprintf("%s:%d", file, n+1)
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
				continue
			}
			if !fenced {
				for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
					if why := brokenLink(t, file, m[1]); why != "" {
						found = append(found, finding{where: at, what: why})
					}
				}
			}
			found = append(found, checkCommands(t, targets, file, at, line, fenced)...)
			if unfinished.MatchString(line) {
				found = append(found, finding{where: at, what: "an unfinished note in a document"})
			}
		}
	}
	return found
}

// checkCommands looks at what a line in a fenced block, or in a code span, tells to run:
// at the root, or beside the document.
func checkCommands(t tree, targets map[string]bool, file, at, line string, fenced bool) []finding {
	code := line
	if !fenced {
		code = strings.Join(codeSpan.FindAllString(line, -1), " ")
	}
	var found []finding
	for _, m := range makeTarget.FindAllStringSubmatch(code, -1) {
		if !targets[m[1]] {
			found = append(found, finding{where: at, what: "the Makefile has no target " + m[1]})
		}
	}
	for _, m := range goPath.FindAllStringSubmatch(code, -1) {
		dir := path.Clean(strings.TrimSuffix(m[1], "/..."))
		if !t.has(dir) && !t.has(path.Join(path.Dir(file), dir)) {
			found = append(found, finding{where: at, what: "there is no " + dir})
		}
	}
	return found
}

// brokenLink says why a link of a document leads nowhere, "" if it does not.
func brokenLink(t tree, file, to string) string {
	if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
		return ""
	}
	to, anchor, _ := strings.Cut(to, "#")
	dest := file
	if to != "" {
		dest = path.Join(path.Dir(file), to)
	}
	if !t.has(dest) {
		return "the link leads to " + dest + ", which is not there"
	}
	if anchor != "" && path.Ext(dest) == ".md" && !slices.Contains(anchors(t[dest]), anchor) {
		return dest + " has no heading #" + anchor
	}
	return ""
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\- _]`)

// anchors returns the names by which a document's headings are linked.
func anchors(doc []byte) []string {
	var all []string
	for _, m := range heading.FindAllStringSubmatch(string(doc), -1) {
		name := notInAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(name, " ", "-"))
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
