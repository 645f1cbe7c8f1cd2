package main

func text(description string) object { return object{"type": "string", "description": description} }

func header(description string, schema object) object {
	return object{"description": description, "schema": schema}
}

func requestHeaders() object {
	parameter := func(name, description string, required bool, schema object) object {
		return object{"name": name, "in": "header", "description": description, "required": required, "schema": schema}
	}
	return object{
		"IdempotencyKey": parameter("Idempotency-Key",
			"Names the command: sent again with the same body it takes effect once and gets the same answer; with another body it is refused (422).",
			true, object{"type": "string", "pattern": "^[!-~]+$", "minLength": 8, "maxLength": 255}),
		"IfMatch": parameter("If-Match",
			"ETag that the caller decided on; the command is refused (412) when the resource has changed since.",
			false, object{"type": "string", "maxLength": 64}),
	}
}

func answerHeaders() object {
	str := object{"type": "string"}
	return object{
		"ETag":                header("Version of the resource, for If-Match.", str),
		"IdempotencyReplayed": header("`true` when the command had taken effect before and this is its answer again.", object{"type": "string", "const": "true"}),
		"RequestId":           header("Names the request in the logs.", str),
		"RetryAfter":          header("Seconds after which a retry may succeed.", object{"type": "integer", "minimum": 1}),
		"WWWAuthenticate":     header("`Bearer`.", str),
	}
}

func problemSchema() object {
	return object{
		"type": "object", "description": "Why a request failed (RFC 9457).",
		"required": []any{"type", "title", "status", "detail", "code", "retryable", "requestId"},
		"properties": object{
			"type":      text("URN of the reason, `urn:lockstep:reason:` and the code."),
			"title":     text("The kind of failure, for people."),
			"status":    object{"type": "integer", "description": "HTTP status."},
			"detail":    text("What is wrong with this request, for people."),
			"code":      object{"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$", "description": "Reason, upper snake case; stable."},
			"retryable": object{"type": "boolean", "description": "True when the same request can succeed later without a change."},
			"errors":    object{"type": "array", "items": ref("schemas", "FieldProblem"), "description": "Offending fields."},
			"metadata": object{
				"type": "object", "additionalProperties": object{"type": "string"},
				"description": "Figures and ids that the reason names, e.g. the state that forbids it.",
			},
			"incident":  text("Names an internal error in the log."),
			"requestId": text("Names the request in the logs."),
			"traceId":   text("W3C trace id, when the request was traced."),
		},
	}
}

func fieldProblemSchema() object {
	return object{
		"type": "object", "description": "One offending field.",
		"required": []any{"detail", "code"},
		"properties": object{
			"pointer":   text("Place in the body, a JSON pointer as URI fragment: `#/lines/2/quantity`."),
			"parameter": text("Name of the query parameter."),
			"detail":    text("What is wrong with it, for people."),
			"code":      text("Reason, upper snake case."),
		},
	}
}
