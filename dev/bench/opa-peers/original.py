"""How the original counts: whole documents, of pod after pod, each over a connection of its own (needs requests).

Arguments: the file of the certificate authority, then URLs of pods. A line on standard input is one collection; the
answer is a line of JSON with the counts and the bytes of the documents in plain text.
"""

import json
import sys

import requests

CLUSTER = "kubernetes/namespaces"
NAMESPACED = ["kubernetes/services", "kubernetes/ingresses"]


def read(url, path, ca):
    answer = requests.get(f"{url}/v1/data/{path}", verify=ca, timeout=30)
    return answer.json()["result"], len(answer.content)


def collect(urls, ca):
    lines, total = [], 0
    for url in urls:
        pod = url.split("//")[1]
        items, size = read(url, CLUSTER, ca)
        total += size
        lines.append(f"opa_cluster_data_items {CLUSTER} {pod} {len(items)}")
        for path in NAMESPACED:
            namespaces, size = read(url, path, ca)
            total += size
            count = sum(len(namespaces[name]) for name in namespaces)
            lines.append(f"opa_namespaced_data_items {path} {pod} {count}")
            lines.append(f"opa_namespaced_data_item_namespaces {path} {pod} {len(namespaces)}")
    return {"lines": sorted(lines), "bytes": total}


for _ in sys.stdin:
    print(json.dumps(collect(sys.argv[2:], sys.argv[1])), flush=True)
