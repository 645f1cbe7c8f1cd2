// Package wire is the one table that maps faults to gRPC and HTTP.
//
// It promises that a fault crosses a service boundary unchanged (kind, reason,
// message, metadata, fields and retry delay), that an internal error leaves as a
// constant text with an incident id, and that an error of the transport arrives
// as a fault too.
package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Row says how a kind of fault looks outside.
type Row struct {
	Code      codes.Code
	HTTP      int
	Retryable bool // the same request may succeed later without anyone changing anything
}

var table = [fault.Kinds]Row{
	fault.Internal:        {codes.Internal, http.StatusInternalServerError, true},
	fault.Invalid:         {codes.InvalidArgument, http.StatusBadRequest, false},
	fault.KeyReused:       {codes.InvalidArgument, http.StatusUnprocessableEntity, false},
	fault.InProgress:      {codes.Aborted, http.StatusConflict, true},
	fault.Stale:           {codes.Aborted, http.StatusPreconditionFailed, false},
	fault.Refused:         {codes.FailedPrecondition, http.StatusConflict, false},
	fault.Conflict:        {codes.AlreadyExists, http.StatusConflict, false},
	fault.NotFound:        {codes.NotFound, http.StatusNotFound, false},
	fault.Denied:          {codes.PermissionDenied, http.StatusForbidden, false},
	fault.Unauthenticated: {codes.Unauthenticated, http.StatusUnauthorized, false},
	fault.Exhausted:       {codes.ResourceExhausted, http.StatusTooManyRequests, true},
	fault.Unavailable:     {codes.Unavailable, http.StatusServiceUnavailable, true},
	fault.TooLarge:        {codes.InvalidArgument, http.StatusRequestEntityTooLarge, false},
	fault.Deadline:        {codes.DeadlineExceeded, http.StatusGatewayTimeout, true},
}

// Of returns the row of a kind; that of Internal for a number that is none.
func Of(k fault.Kind) Row {
	if int(k) >= fault.Kinds {
		k = fault.Internal
	}
	return table[k]
}

// What ErrorInfo says beside the fault's own reason and metadata.
const (
	domainPrefix  = "lockstep/"  // before the service's name in ErrorInfo.domain
	kindKey       = "fault_kind" // metadata: the kind, where several share a code
	incidentKey   = "incident"   // metadata of an internal error: the id to look for in the log
	internal      = "INTERNAL"   // reason of every internal error outside
	internalText  = "internal error; the incident id names it in the log"
	unavailable   = "UNAVAILABLE" // reason of a call that did not come through
	unknownText   = "the service cannot be reached or its answer is unknown; retry under the same key"
	tooLargeHint  = "larger than max" // in gRPC's own message about a message over the limit
	defaultReason = "UNSPECIFIED"
)

// Status renders err as a gRPC status of the named service. nil is OK. What is
// no fault is internal: the status carries only an incident id, which the caller
// logs with the whole error (Incident). An internal fault that another service
// answered keeps that service's id.
func Status(err error, service string) *status.Status {
	if err == nil {
		return status.New(codes.OK, "")
	}
	f := faultOf(err)
	if f.Kind == fault.Internal || int(f.Kind) >= fault.Kinds {
		f = masked(f)
	}
	row := Of(f.Kind)
	info := &errdetails.ErrorInfo{Reason: clean(f.Reason), Domain: domainPrefix + service, Metadata: map[string]string{}}
	if info.Reason == "" {
		info.Reason = defaultReason
	}
	for k, v := range f.Metadata {
		info.Metadata[clean(k)] = clean(v)
	}
	if ambiguous(row.Code) {
		info.Metadata[kindKey] = f.Kind.String()
	}
	details := []protoadapt.MessageV1{info}
	if len(f.Fields) > 0 {
		bad := &errdetails.BadRequest{}
		for _, v := range f.Fields {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{
				Field: clean(v.Path), Reason: clean(v.Reason), Description: clean(v.Description),
			})
		}
		details = append(details, bad)
	}
	if f.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(f.RetryAfter)})
	}
	st := status.New(row.Code, clean(f.Message))
	with, err := st.WithDetails(details...)
	if err != nil { // cannot be: every string was made valid
		return st
	}
	return with
}

// Incident returns the incident id of an internal status, "" of any other.
func Incident(st *status.Status) string {
	if info := infoOf(st); info != nil && info.Reason == internal {
		return info.Metadata[incidentKey]
	}
	return ""
}

// FromStatus gives back the fault that a service answered with. Errors that are
// no faults of ours become one: what the transport could not do, or whose outcome
// it does not know, is Unavailable. nil, faults and errors that are no gRPC
// status come back as they are.
func FromStatus(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	st, ok := status.FromError(err)
	if !ok {
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return fault.New(fault.Unavailable, unavailable, unknownText).Wrap(err)
		}
		return err
	}
	info := infoOf(st)
	if info == nil || !strings.HasPrefix(info.Domain, domainPrefix) {
		return foreign(st).Wrap(err)
	}
	return ours(st, info)
}

// ours is the inverse of Status.
func ours(st *status.Status, info *errdetails.ErrorInfo) *fault.Error {
	f := &fault.Error{Kind: kindOf(st.Code()), Reason: info.Reason, Message: st.Message()}
	if k, ok := fault.KindNamed(info.Metadata[kindKey]); ok && Of(k).Code == st.Code() {
		f.Kind = k
	}
	f.Metadata = maps.Clone(info.Metadata)
	delete(f.Metadata, kindKey)
	if len(f.Metadata) == 0 {
		f.Metadata = nil
	}
	for _, d := range st.Details() {
		switch d := d.(type) {
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				f.Fields = append(f.Fields, fault.Field{Path: v.GetField(), Reason: v.GetReason(), Description: v.GetDescription()})
			}
		case *errdetails.RetryInfo:
			f.RetryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	return f
}

// foreign maps a status that no service of ours made: by gRPC itself, a proxy or
// the gateway's decoder. Texts about the inside of the network stay behind.
func foreign(st *status.Status) *fault.Error {
	switch st.Code() {
	case codes.Internal, codes.Unknown, codes.DataLoss:
		return fault.New(fault.Internal, internal, internalText)
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unimplemented:
		return fault.New(fault.Unavailable, unavailable, unknownText)
	case codes.ResourceExhausted:
		if strings.Contains(st.Message(), tooLargeHint) {
			return fault.New(fault.TooLarge, "MESSAGE_TOO_LARGE", "the message is over the size limit")
		}
	}
	k := kindOf(st.Code())
	return fault.New(k, strings.ToUpper(k.String()), "%s", st.Message())
}

// kindOf returns the kind that a code alone stands for.
func kindOf(c codes.Code) fault.Kind {
	switch c {
	case codes.InvalidArgument, codes.OutOfRange:
		return fault.Invalid
	case codes.Aborted:
		return fault.InProgress
	}
	for k, row := range table {
		if row.Code == c {
			return fault.Kind(k)
		}
	}
	return fault.Internal
}

func ambiguous(c codes.Code) bool {
	return c == codes.InvalidArgument || c == codes.Aborted
}

// faultOf finds the fault in err, or makes one of a context's or a transport's error.
func faultOf(err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Deadline, "DEADLINE_EXCEEDED", "there was not enough time; retry under the same key")
	}
	if f, ok := fault.As(FromStatus(err)); ok {
		return f
	}
	return fault.New(fault.Internal, internal, internalText)
}

// masked hides an internal fault behind a constant text and an incident id.
func masked(f *fault.Error) *fault.Error {
	id := f.Metadata[incidentKey]
	if id == "" || f.Reason != internal {
		id = strings.ToLower(rand.Text())
	}
	return fault.New(fault.Internal, internal, internalText).With(incidentKey, id)
}

func infoOf(st *status.Status) *errdetails.ErrorInfo {
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}

// clean makes a string that protobuf takes.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
