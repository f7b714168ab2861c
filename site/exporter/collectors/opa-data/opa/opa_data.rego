# What fedstack's exporter of OPA data asks for, as counts and hashes only. Made by its --print-package.
package fedstack.opa_data

counts := {
	"kubernetes/namespaces": [[type_name(d), [count(d) | not is_string(d)], [], []] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["ingresses"]],
}

counts_and_versions := {
	"kubernetes/namespaces": [[type_name(d), [count(d) | not is_string(d)], [], [h | h := crypto.sha256(concat("\n", {concat("/", [n, v]) | o := d[n]; v := object.get(o, ["metadata", "resourceVersion"], "")} | {concat("/", [n]) | o := d[n]; not is_object(o)}))]] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(concat("\n", {concat("/", [n, i, v]) | o := d[n][i]; v := object.get(o, ["metadata", "resourceVersion"], "")} | {concat("/", [n, i]) | o := d[n][i]; not is_object(o)}))]] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(concat("\n", {concat("/", [n, i, v]) | o := d[n][i]; v := object.get(o, ["metadata", "resourceVersion"], "")} | {concat("/", [n, i]) | o := d[n][i]; not is_object(o)}))]] | d := data["kubernetes"]["ingresses"]],
}

counts_and_contents := {
	"kubernetes/namespaces": [[type_name(d), [count(d) | not is_string(d)], [], [h | h := crypto.sha256(json.marshal(d))]] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[type_name(d), [count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]] | d := data["kubernetes"]["ingresses"]],
}
