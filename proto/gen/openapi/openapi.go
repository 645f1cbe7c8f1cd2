// Package openapi holds the description of the public API, generated from the protos.
package openapi

import _ "embed" // for the document

// Document is the OpenAPI 3.1 document of every public method, JSON.
//
//go:embed lockstep.json
var Document []byte
