# The counts and hashes that fedstack's exporter of OPA data reads, and nothing else. Made by its --print-package.
package fedstack.opa_data

counts := {
	"kubernetes/namespaces": [[[count(d) | not is_string(d)], [], []] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], []] | d := data["kubernetes"]["ingresses"]],
}

counts_and_objects := {
	"kubernetes/namespaces": [[keys, members, [h | h := crypto.sha256(json.marshal([sort(versions), sort(others), sort(values)]))]] | d := data["kubernetes"]["namespaces"]; keys := [count(d) | not is_string(d)]; members := []; versions := [[n, v] | v := d[n].metadata.resourceVersion; v > ""]; others := [[n, x] | count(versions) != keys[0]; x := d[n]; [1 | d[n].metadata.resourceVersion > ""] == []]; values := [d | not is_object(d)]],
	"kubernetes/services": [[keys, members, [h | h := crypto.sha256(json.marshal([sort(versions), sort(others), sort(values)]))]] | d := data["kubernetes"]["services"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; versions := [[n, i, v] | v := d[n][i].metadata.resourceVersion; v > ""]; others := [[n, i, x] | count(versions) != members[0]; x := d[n][i]; [1 | d[n][i].metadata.resourceVersion > ""] == []]; values := array.concat([[n, m] | m := d[n]; not is_object(m)], [d | not is_object(d)])],
	"kubernetes/ingresses": [[keys, members, [h | h := crypto.sha256(json.marshal([sort(versions), sort(others), sort(values)]))]] | d := data["kubernetes"]["ingresses"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; versions := [[n, i, v] | v := d[n][i].metadata.resourceVersion; v > ""]; others := [[n, i, x] | count(versions) != members[0]; x := d[n][i]; [1 | d[n][i].metadata.resourceVersion > ""] == []]; values := array.concat([[n, m] | m := d[n]; not is_object(m)], [d | not is_object(d)])],
}

counts_and_contents := {
	"kubernetes/namespaces": [[[count(d) | not is_string(d)], [], [h | h := crypto.sha256(json.marshal(d))]] | d := data["kubernetes"]["namespaces"]],
	"kubernetes/services": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal([{n: m | m := d[n]; m != {}}, [d | not is_object(d)]]))]] | d := data["kubernetes"]["services"]],
	"kubernetes/ingresses": [[[count(d) | not is_string(d)], [sum([count(m) | m := d[_]; not is_string(m)])], [h | h := crypto.sha256(json.marshal([{n: m | m := d[n]; m != {}}, [d | not is_object(d)]]))]] | d := data["kubernetes"]["ingresses"]],
}
