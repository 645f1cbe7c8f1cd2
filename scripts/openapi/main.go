// Command openapi completes the merged output of protoc-gen-openapiv3 into the one
// OpenAPI 3.1 document of the public API: it reads the document from standard input
// and writes it, with everything that the generator leaves out, to standard output.
// Equal input gives equal output, byte for byte.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

func main() {
	path := flag.String("image", "", "protos as `buf build -o` wrote them")
	flag.Parse()
	if err := run(*path, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(path string, in io.Reader, out io.Writer) error {
	img, err := image.Read(path)
	if err != nil {
		return err
	}
	doc := object{}
	dec := json.NewDecoder(in)
	dec.UseNumber() // figures stay as written
	if err := dec.Decode(&doc); err != nil {
		return err
	}
	if err := complete(doc, img); err != nil {
		return err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err = out.Write(b.Bytes())
	return err
}

// complete does every step; each can rely on the ones before it.
func complete(doc object, img *image.Image) error {
	if err := mergePaths(doc); err != nil {
		return err
	}
	ops, err := operations(doc, img)
	if err != nil {
		return err
	}
	if err := constrainSchemas(doc, img); err != nil {
		return err
	}
	for _, op := range ops {
		if err := op.constrain(); err != nil {
			return err
		}
		op.describe()
		op.addHeaders()
		op.addProblems()
	}
	addFrame(doc)
	return nil
}
