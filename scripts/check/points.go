package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strings"
)

const (
	pointNames = "libs/faultpoint/faultpoint.go"
	pointCases = "services/suite/faults/"
)

// checkPoints holds the crash points against the code: a name that is hit nowhere, or at which
// no case strikes, promises a crash that nobody has survived.
func checkPoints(t tree) []finding {
	var found []finding
	fset := token.NewFileSet()
	hit, struck := map[string]bool{}, map[string]bool{}
	for _, file := range sortedKeys(t) {
		if path.Ext(file) != ".go" || path.Dir(file) == path.Dir(pointNames) || !bytes.Contains(t[file], []byte("faultpoint.")) {
			continue
		}
		f, err := parser.ParseFile(fset, file, t[file], parser.SkipObjectResolution)
		if err != nil {
			continue // checkSources says so
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if pointOf(n.Fun) != "Hit" || len(n.Args) != 1 || strings.HasSuffix(file, "_test.go") {
					break
				}
				if name := pointOf(n.Args[0]); name != "" {
					hit[name] = true
				} else {
					found = append(found, finding{where: position(fset, n.Pos()), what: "a point is hit by its name in " + pointNames})
				}
			case *ast.SelectorExpr:
				if strings.HasPrefix(file, pointCases) {
					struck[pointOf(n)] = true
				}
			}
			return true
		})
	}
	names, err := parser.ParseFile(fset, pointNames, t[pointNames], parser.SkipObjectResolution)
	if err != nil {
		return append(found, finding{where: pointNames, what: err.Error()})
	}
	ast.Inspect(names, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		switch name := spec.Names[0].Name; {
		case !hit[name]:
			found = append(found, finding{where: position(fset, spec.Pos()), what: name + " is hit nowhere"})
		case !struck[name]:
			found = append(found, finding{where: position(fset, spec.Pos()), what: "no case in " + pointCases + " strikes at " + name})
		}
		return false
	})
	return found
}

// pointOf returns X of faultpoint.X, "" of anything else.
func pointOf(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if pkg, ok := s.X.(*ast.Ident); ok && pkg.Name == "faultpoint" {
			return s.Sel.Name
		}
	}
	return ""
}
