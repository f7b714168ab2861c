# What fedstack's exporter of OPA data asks for, as counts and hashes only. Made by its --print-package.
package fedstack.opa_data

counts := {
	"kubernetes/namespaces": [[keys, members, digest] | d := data["kubernetes"]["namespaces"]; keys := [count(d) | not is_string(d)]; members := []; digest := []],
	"kubernetes/services": [[keys, members, digest] | d := data["kubernetes"]["services"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; digest := []],
	"kubernetes/ingresses": [[keys, members, digest] | d := data["kubernetes"]["ingresses"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; digest := []],
}

counts_and_versions := {
	"kubernetes/namespaces": [[keys, members, digest] | d := data["kubernetes"]["namespaces"]; keys := [count(d) | not is_string(d)]; members := []; digest := [h | a := [[n, v] | v := d[n].metadata.resourceVersion]; b := [[n] | count(a) != keys[0]; _ = d[n]]; h := crypto.sha256(json.marshal([sort(a), sort(b)]))]],
	"kubernetes/services": [[keys, members, digest] | d := data["kubernetes"]["services"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; digest := [h | a := [[n, i, v] | v := d[n][i].metadata.resourceVersion]; b := [[n, i] | count(a) != members[0]; _ = d[n][i]]; h := crypto.sha256(json.marshal([sort(a), sort(b)]))]],
	"kubernetes/ingresses": [[keys, members, digest] | d := data["kubernetes"]["ingresses"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; digest := [h | a := [[n, i, v] | v := d[n][i].metadata.resourceVersion]; b := [[n, i] | count(a) != members[0]; _ = d[n][i]]; h := crypto.sha256(json.marshal([sort(a), sort(b)]))]],
}

counts_and_contents := {
	"kubernetes/namespaces": [[keys, members, digest] | d := data["kubernetes"]["namespaces"]; keys := [count(d) | not is_string(d)]; members := []; digest := [h | h := crypto.sha256(json.marshal(d))]],
	"kubernetes/services": [[keys, members, digest] | d := data["kubernetes"]["services"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; digest := [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]],
	"kubernetes/ingresses": [[keys, members, digest] | d := data["kubernetes"]["ingresses"]; keys := [count(d) | not is_string(d)]; members := [sum([count(m) | m := d[_]; not is_string(m)])]; digest := [h | h := crypto.sha256(json.marshal({n: m | m := d[n]; m != {}}))]],
}
