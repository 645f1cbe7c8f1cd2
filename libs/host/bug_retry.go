//go:build bug_retry

package host

import commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"

// repeatable lets every connection try a change again, the gateway's too.
func repeatable(*commonv1.Access) bool { return true }
