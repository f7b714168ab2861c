# Lets the exporter of OPA data read counts and hashes, and nothing else. It adds to what your system.authz allows
# already, which must have a default of false for allow; with OPA's --authorization=basic. Where not every client may see
# how many objects there are, add a condition on input.identity, which is the exporter's bearer token with
# --authentication=token. For OPA 0.x and 1.x alike, without keywords that only one of them has; tried with 0.45 and 1.22.
package system.authz

# undefined, not false, where the condition is not met: the list is empty then, and has no first
allow := [true |
	["v1", "data", "fedstack", "opa_data", rule] = input.path
	{"counts", "counts_and_objects", "counts_and_contents"}[rule]
	input.method == "GET"

	# not explain, whose response holds every document that was evaluated
	count([name | input.params[name]; name != "metrics"]) == 0
][0]
