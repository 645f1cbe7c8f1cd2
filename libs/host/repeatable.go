//go:build !bug_retry

package host

import commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"

// repeatable reports whether a connection may by itself try a call again.
func repeatable(a *commonv1.Access) bool { return !a.Mutation }
