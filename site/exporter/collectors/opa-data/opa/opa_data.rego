# The counts and hashes that fedstack's exporter of OPA data reads, and nothing else. Made by its --print-package.
package fedstack.opa_data

counts := {
	"kubernetes/namespaces": [[[count(d) | not is_string(d)], [], []] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["ingresses"]],
}

counts_and_versions := {
	"kubernetes/namespaces": [[keys, members, [crypto.sha256(json.marshal([sort(versions), sort(names)]))]] | d := data["kubernetes"]["namespaces"]; keys := [count(d) | not is_string(d)]; members := []; versions := [[n, v] | v := d[n].metadata.resourceVersion]; names := [[n] | count(versions) != keys[0]; _ = d[n]]],
	"kubernetes/services": [[keys, members, [crypto.sha256(json.marshal([sort(versions), sort(names)]))]] | d := data["kubernetes"]["services"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; versions := [[n, i, v] | v := d[n][i].metadata.resourceVersion]; names := [[n, i] | count(versions) != members[0]; _ = d[n][i]]],
	"kubernetes/ingresses": [[keys, members, [crypto.sha256(json.marshal([sort(versions), sort(names)]))]] | d := data["kubernetes"]["ingresses"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; versions := [[n, i, v] | v := d[n][i].metadata.resourceVersion]; names := [[n, i] | count(versions) != members[0]; _ = d[n][i]]],
}

counts_and_contents := {
	"kubernetes/namespaces": [[[count(d) | not is_string(d)], [], [h | h := crypto.sha256(json.marshal(d))]] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]] | d := data["kubernetes"]["ingresses"]],
}
