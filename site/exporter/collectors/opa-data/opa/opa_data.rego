# What fedstack's exporter of OPA data asks for, as counts and hashes only. Made by its --print-package.
package fedstack.opa_data

counts := {
	"kubernetes/namespaces": [[type_name(d), [count(d) | not is_string(d)], [], []] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["ingresses"]],
}

counts_and_versions := {
	"kubernetes/namespaces": [[type_name(d), [count(d) | not is_string(d)], [], [h | a := {concat("/", [n, v]) | v := d[n].metadata.resourceVersion}; c := count(d); b := {concat("/", [n]) | count(a) != c; _ = d[n]; not d[n].metadata.resourceVersion}; h := crypto.sha256(concat("\n", a | b))]] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | a := {concat("/", [n, i, v]) | v := d[n][i].metadata.resourceVersion}; c := sum([count(m) | m := d[_]; not is_string(m)]); b := {concat("/", [n, i]) | count(a) != c; _ = d[n][i]; not d[n][i].metadata.resourceVersion}; h := crypto.sha256(concat("\n", a | b))]] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | a := {concat("/", [n, i, v]) | v := d[n][i].metadata.resourceVersion}; c := sum([count(m) | m := d[_]; not is_string(m)]); b := {concat("/", [n, i]) | count(a) != c; _ = d[n][i]; not d[n][i].metadata.resourceVersion}; h := crypto.sha256(concat("\n", a | b))]] | d := data["kubernetes"]["ingresses"]],
}

counts_and_contents := {
	"kubernetes/namespaces": [[type_name(d), [count(d) | not is_string(d)], [], [h | h := crypto.sha256(json.marshal(d))]] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]] | d := data["kubernetes"]["ingresses"]],
}
