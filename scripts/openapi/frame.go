package main

import (
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/scripts/internal/image"
)

// problems are the error answers, by status: name of the component and what it says.
var problems = map[int][2]string{
	400: {"Invalid", "The request breaks a rule; `errors` names the fields."},
	401: {"Unauthenticated", "There is no valid bearer token or API key."},
	403: {"Denied", "The caller may not do this."},
	404: {"NotFound", "There is no such resource for the caller's tenant."},
	409: {"Refused", "A business rule forbids it in this state, the business key is taken, or a command with the same key is being worked on; `code` says which."},
	412: {"Stale", "The resource has changed: If-Match names an older version."},
	413: {"TooLarge", "The body is over the size limit."},
	415: {"UnsupportedMediaType", "The body is not application/json."},
	422: {"KeyReused", "The idempotency key was used for another request."},
	429: {"Exhausted", "A limit is reached; retry after the time that Retry-After says."},
	500: {"Internal", "A defect of ours; `incident` names it in the log."},
	503: {"Unavailable", "Not available now, or the outcome is unknown: retry under the same idempotency key."},
	504: {"Deadline", "There was not enough time: retry under the same idempotency key."},
}

// addProblems lists the error answers that an operation can give.
func (op operation) addProblems() {
	statuses := []int{400, 401, 403, 429, 500, 503, 504}
	if parameterName.MatchString(op.path) {
		statuses = append(statuses, 404)
	}
	if op.object["requestBody"] != nil {
		statuses = append(statuses, 413, 415)
	}
	if image.Access(op.method).GetMutation() {
		statuses = append(statuses, 409, 422)
		if op.versioned() {
			statuses = append(statuses, 412)
		}
	}
	responses := child(op.object, "responses")
	for _, status := range statuses {
		responses[strconv.Itoa(status)] = ref("responses", problems[status][0])
	}
}

// versioned reports whether the command can be bound to a version.
func (op operation) versioned() bool {
	return op.method.Input().Fields().ByName("etag") != nil
}

// addHeaders documents the headers that are no fields of the request.
func (op operation) addHeaders() {
	parameters, _ := op.object["parameters"].([]any)
	headers := object{"X-Request-Id": ref("headers", "RequestId")}
	if image.Access(op.method).GetMutation() {
		parameters = append(parameters, ref("parameters", "IdempotencyKey"))
		headers["Idempotency-Replayed"] = ref("headers", "IdempotencyReplayed")
		if op.versioned() {
			parameters = append(parameters, ref("parameters", "IfMatch"))
		}
	}
	if hasETag(op.method.Output(), 1) {
		headers["ETag"] = ref("headers", "ETag")
	}
	if len(parameters) > 0 {
		op.object["parameters"] = parameters
	}
	child(child(op.object, "responses"), "200")["headers"] = headers
}

// hasETag reports whether the gateway finds a version in an answer: the field etag, that
// of its only field, or that of its receipt.
func hasETag(m protoreflect.MessageDescriptor, deeper int) bool {
	fields := m.Fields()
	if fields.ByName("etag") != nil {
		return true
	}
	if deeper == 0 || fields.Len() == 0 {
		return false
	}
	f := fields.Get(0)
	if fields.Len() > 1 {
		f = fields.ByName("receipt")
	}
	return f != nil && f.Message() != nil && !f.IsList() && !f.IsMap() && hasETag(f.Message(), deeper-1)
}

const about = `Public API of Lockstep, the suite that keeps ERP, WMS and TMS in step.

- Every request carries a bearer token or an API key; the tenant comes from it.
- Every change carries an Idempotency-Key: the same key and body give the same answer and take effect once.
- 64-bit integers are JSON strings. Money is in minor units with its ISO 4217 currency, quantities are decimal strings with their UN/ECE Recommendation 20 unit.
- Errors are problem documents (RFC 9457).`

// addFrame writes what belongs to the document as a whole.
func addFrame(doc object) {
	doc["info"] = object{
		"title": "Lockstep", "version": "v1", "summary": "Orders, stock, shipments, freight and returns",
		"description": about, "license": object{"name": "Apache License 2.0", "identifier": "Apache-2.0"},
	}
	doc["servers"] = []any{object{"url": "/", "description": "The gateway that serves this document"}}
	doc["security"] = []any{object{"bearer": []any{}}, object{"apiKey": []any{}}}
	components := child(doc, "components")
	components["securitySchemes"] = object{
		"bearer": object{
			"type": "http", "scheme": "bearer", "description": "Token of a person or API client.",
		},
		"apiKey": object{
			"type": "apiKey", "in": "header", "name": "Authorization", "description": "The word ApiKey, a space, and a key that createApiKey has shown.",
		},
	}
	components["parameters"] = requestHeaders()
	components["headers"] = answerHeaders()
	schemas := child(components, "schemas")
	schemas["Problem"], schemas["FieldProblem"] = problemSchema(), fieldProblemSchema()
	responses := child(components, "responses")
	for status, p := range problems {
		responses[p[0]] = problemResponse(status, p[1])
	}
}

func problemResponse(status int, description string) object {
	headers := object{"X-Request-Id": ref("headers", "RequestId")}
	switch status {
	case 401:
		headers["WWW-Authenticate"] = ref("headers", "WWWAuthenticate")
	case 409, 429, 503, 504:
		headers["Retry-After"] = ref("headers", "RetryAfter")
	}
	return object{
		"description": description, "headers": headers,
		"content": object{"application/problem+json": object{"schema": ref("schemas", "Problem")}},
	}
}
