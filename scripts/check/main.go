// Command check holds the repository against the rules that no linter knows: one
// version of every third-party module, who may import whom among our own modules,
// crash points that are hit and struck at, the shape of the API, and documents whose
// links and commands work. It prints one line a finding and fails if one of them is
// an error.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

// finding is one place where a rule is broken.
type finding struct {
	where string // path, with line where there is one, or the full name of a proto element
	what  string
	warn  bool // an alarm, not an error
}

func main() {
	root := flag.String("root", ".", "root of the repository")
	path := flag.String("image", "", "protos as `buf build -o` wrote them")
	flag.Parse()
	failed, err := run(*root, *path, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func run(root, path string, out io.Writer) (failed bool, err error) {
	img, err := image.Read(path)
	if err != nil {
		return true, err
	}
	t, err := load(root)
	if err != nil {
		return true, err
	}
	found := slices.Concat(checkModules(t), checkSources(t), checkPoints(t), checkDocuments(t), checkAPI(img))
	slices.SortStableFunc(found, func(a, b finding) int { return strings.Compare(a.where, b.where) })
	for _, f := range found {
		grade := "error"
		if f.warn {
			grade = "warning"
		}
		failed = failed || !f.warn
		_, _ = fmt.Fprintf(out, "%s: %s: %s\n", f.where, grade, f.what)
	}
	return failed, nil
}
