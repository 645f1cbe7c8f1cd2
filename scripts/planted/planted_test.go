package main

import (
	"go/build/constraint"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// TestPairs: a bug is one file under its tag, and what it replaces one under its absence, in
// the same folder. There are no other ways in, and no bug that is not on the list.
func TestPairs(t *testing.T) {
	with, without := map[string]string{}, map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".cache" || d.Name() == ".git" || d.Name() == "bin"):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go":
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(src)) {
			if strings.HasPrefix(line, "package ") {
				break
			}
			if !constraint.IsGoBuild(line) || !strings.Contains(line, "bug_") {
				continue
			}
			tag, isBug := strings.CutPrefix(strings.TrimSpace(line), "//go:build bug_")
			to := with
			if !isBug {
				to = without
				tag = strings.TrimPrefix(strings.TrimSpace(line), "//go:build !bug_")
			}
			if to[tag] != "" || strings.ContainsAny(tag, " !&|") || isBug != (filepath.Base(path) == "bug_"+tag+".go") {
				t.Errorf("%s: %s: not the one bug_<name>.go, nor the one that it replaces", path, line)
			}
			to[tag] = filepath.Dir(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bugs {
		if with[b.name] == "" || with[b.name] != without[b.name] {
			t.Errorf("%s: planted in %q, replaces what is in %q", b.name, with[b.name], without[b.name])
		}
		delete(with, b.name)
		delete(without, b.name)
	}
	if len(with)+len(without) > 0 {
		t.Errorf("not on the list: %v %v", with, without)
	}
}

// TestReleasesHaveNone: no build of the project has a bug in it, that with crash points neither.
func TestReleasesHaveNone(t *testing.T) {
	modules, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	var packages []string
	for line := range strings.Lines(string(modules)) {
		if module, ok := strings.CutPrefix(strings.TrimSpace(line), "./"); ok && module != "proto" {
			packages = append(packages, "./"+module+"/...")
		}
	}
	for _, tags := range []string{"", "faults"} {
		args := append([]string{"list", "-tags", tags, "-f", `{{join .GoFiles " "}} {{join .IgnoredGoFiles " "}}`}, packages...)
		all, err := tool(t.Context(), root, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		args[4] = `{{join .GoFiles " "}}`
		built, err := tool(t.Context(), root, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		isBug := func(file string) bool { return strings.HasPrefix(file, "bug_") }
		if found := slices.ContainsFunc(strings.Fields(string(built)), isBug); found || !slices.ContainsFunc(strings.Fields(string(all)), isBug) {
			t.Errorf("tags %q: a bug is built in: %t; else the list shows none at all", tags, found)
		}
	}
	for _, file := range []string{"Makefile", ".ci/run"} {
		if text, err := os.ReadFile(filepath.Join(root, file)); err != nil || strings.Contains(string(text), "bug_") {
			t.Errorf("%s sets a bug's tag: %v", file, err)
		}
	}
}

// TestEveryBugCompiles: with its tests. Each is a pair by itself, so all compile when all at once do.
func TestEveryBugCompiles(t *testing.T) {
	var tags, packages []string
	for _, b := range bugs {
		tags, packages = append(tags, b.tag()), append(packages, b.pkg)
	}
	slices.Sort(packages)
	args := append([]string{"vet", "-tags", strings.Join(tags, ",")}, slices.Compact(packages)...)
	if output, err := tool(t.Context(), root, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

func TestChoose(t *testing.T) {
	if all, err := choose(nil); err != nil || len(all) != len(bugs) {
		t.Errorf("%d, %v", len(all), err)
	}
	if one, err := choose([]string{"w1"}); err != nil || len(one) != 1 || one[0].name != "w1" {
		t.Errorf("%v, %v", one, err)
	}
	if _, err := choose([]string{"w2"}); err == nil {
		t.Error("a bug that there is not")
	}
}
