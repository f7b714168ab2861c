# Lets the exporter of OPA data read counts and hashes, and nothing else. It adds to what your system.authz allows
# already, which must have `default allow := false`; with OPA's --authorization=basic. Where not every client may see how
# many objects there are, add a condition on input.identity, which is the exporter's bearer token with
# --authentication=token.
package system.authz

import rego.v1

allow if {
	some rule in {"counts", "counts_and_versions", "counts_and_contents"}
	input.method == "GET"
	input.path == ["v1", "data", "fedstack", "opa_data", rule]

	# not explain, whose response holds every document that was evaluated
	object.keys(input.params) - {"metrics"} == set()
}
