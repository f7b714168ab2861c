# Lets the exporter of OPA data ask for counts and hashes, and for nothing else. It adds to whatever your system.authz
# allows already, which has to say `default allow := false`; with OPA's --authorization=basic. Where not everybody may see
# how many objects there are, add a condition on input.identity, which is the exporter's bearer token with
# --authentication=token.
package system.authz

import rego.v1

allow if {
	some rule in {"counts", "counts_and_versions", "counts_and_contents"}
	input.method == "GET"
	input.path == ["v1", "data", "fedstack", "opa_data", rule]

	# not explain, which answers with every document that was looked at
	object.keys(input.params) - {"metrics"} == set()
}
