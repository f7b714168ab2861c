# Lets the exporter of OPA data ask for counts and hashes, and for nothing else. It adds to whatever system.authz allows
# already; with OPA's --authorization=basic. Where not everybody may see how many objects there are, add a condition on
# input.identity, which is the exporter's bearer token with --authentication=token.
package system.authz

import rego.v1

default allow := false

allow if {
	some rule in {"counts", "counts_and_versions", "counts_and_contents"}
	input.method == "GET"
	input.path == ["v1", "data", "fedstack", "opa_data", rule]
}
