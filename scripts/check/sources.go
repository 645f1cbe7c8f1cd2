package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// Alarms: above these a file or function is hard to hold in mind.
const (
	longFile     = 400
	longFunction = 60
	longMain     = 15
)

// checkSources reads every Go file of ours: who imports whom, what has grown too long, and what
// computes with floating point that must be exact.
func checkSources(t tree) []finding {
	var found []finding
	for _, file := range sortedKeys(t) {
		if path.Ext(file) != ".go" || t[file] == nil || strings.HasPrefix(file, "proto/gen/go/") {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, t[file], parser.SkipObjectResolution)
		if err != nil {
			found = append(found, finding{where: file, what: err.Error()})
			continue
		}
		for _, imp := range f.Imports {
			target, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				continue // the parser has seen to it
			}
			if own, ok := strings.CutPrefix(target, ours); ok && !mayImport(file, own) {
				found = append(found, finding{where: position(fset, imp.Pos()), what: owner(file) + " must not import " + own})
			}
		}
		found = append(found, lengths(file, t[file], fset, f)...)
		found = append(found, floats(file, fset, f)...)
	}
	return found
}

// exact reports whether a file may not have floating point: what it computes and stores are
// quantities, weights and amounts. What measures, in the suite and beside the services, may.
func exact(file string) bool {
	if strings.HasSuffix(file, "_test.go") {
		return false
	}
	for _, of := range []string{"libs/quantity/", "libs/money/", "libs/gs1/", "libs/edi/", "libs/protovalue/"} {
		if strings.HasPrefix(file, of) {
			return true
		}
	}
	return strings.HasPrefix(file, "services/") && owner(file) != "services/suite"
}

func floats(file string, fset *token.FileSet, f *ast.File) []finding {
	if !exact(file) {
		return nil
	}
	var found []finding
	ast.Inspect(f, func(n ast.Node) bool {
		name, isNumber := "", false
		switch n := n.(type) {
		case *ast.Ident:
			name = n.Name
		case *ast.BasicLit:
			if n.Kind == token.FLOAT {
				name, isNumber = n.Value, true
			}
		}
		if name == "float32" || name == "float64" || isNumber {
			found = append(found, finding{where: position(fset, n.Pos()), what: name + " is floating point: amounts, weights and quantities are exact"})
		}
		return true
	})
	return found
}

// mayImport says who may import whom: libs and proto nobody but proto, a service and the
// gateway libs and proto, the suite everything. Services meet on the wire only.
func mayImport(file, target string) bool {
	from, to := owner(file), owner(target)
	switch {
	case from == to, to == "proto":
		return true
	case from == "services/suite":
		return to != "scripts"
	case strings.HasPrefix(from, "services/"), from == "gateway":
		return to == "libs"
	}
	return false
}

// owner returns the module that a path belongs to.
func owner(p string) string {
	parts := strings.SplitN(p, "/", 3)
	if parts[0] == "services" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

func lengths(file string, src []byte, fset *token.FileSet, f *ast.File) []finding {
	var found []finding
	lines := bytes.Count(src, []byte("\n"))
	switch {
	case lines > longFile:
		found = append(found, finding{where: file, what: fmt.Sprintf("%d lines, more than %d", lines, longFile), warn: true})
	case lines > longMain && strings.HasPrefix(file, "services/") && path.Base(file) == "main.go" && owner(file) != "services/suite":
		found = append(found, finding{where: file, what: fmt.Sprintf("%d lines, a main has at most %d", lines, longMain), warn: true})
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || strings.HasSuffix(file, "_test.go") {
			continue
		}
		if n := fset.Position(fn.End()).Line - fset.Position(fn.Pos()).Line + 1; n > longFunction {
			found = append(found, finding{
				where: position(fset, fn.Pos()), warn: true,
				what: fmt.Sprintf("func %s has %d lines, more than %d", fn.Name.Name, n, longFunction),
			})
		}
	}
	return found
}

func position(fset *token.FileSet, pos token.Pos) string {
	p := fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
