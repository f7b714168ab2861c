import assert from "node:assert/strict"
import { test } from "node:test"
import { slicesOf } from "./slice.ts"
import { podsIn } from "./pods.ts"
import { type Slice, sliceOf } from "./slice.ts"

const PORTS = [{ name: "https", port: 8443, appProtocol: "" }]
const pod = (name: string | undefined, address: string, ready = true, node = "") => ({
  pod: name,
  address,
  ready,
  node,
})
const slice = (changes: Partial<Slice>): Slice => ({
  service: "opa",
  addressType: "IPv4",
  ports: PORTS,
  endpoints: [],
  ...changes,
})
/** What differs here, in short. */
const shown = (slices: readonly Slice[], port?: string): readonly string[] =>
  podsIn(slices, "policy", port).targets.map(
    (target) => `${target.service} ${target.pod} ${target.address}:${target.port} ${target.ready} ${target.scheme}`,
  )

test("all slices of a service are one list, in the order of names", () => {
  const slices = [
    slice({ endpoints: [pod("opa-b", "10.0.0.2"), pod("opa-c", "10.0.0.3")] }),
    slice({ endpoints: [pod("opa-a", "10.0.0.1", true, "node-1")] }),
  ]
  assert.deepEqual(podsIn(slices, "policy", undefined), {
    faults: [],
    targets: [
      ["opa-a", "10.0.0.1", "node-1"],
      ["opa-b", "10.0.0.2", ""],
      ["opa-c", "10.0.0.3", ""],
    ].map(([name, address, node]) => ({
      pod: name,
      node,
      namespace: "policy",
      service: "opa",
      address,
      port: 8443,
      scheme: "https",
      path: "",
      ready: true,
    })),
  })
})

test("a pod of two address families is read once, by IPv4 if it has one", () => {
  const six = slice({ addressType: "IPv6", endpoints: [pod("opa-a", "fd00::1"), pod("opa-b", "fd00::2")] })
  const four = slice({ endpoints: [pod("opa-a", "10.0.0.1")] })
  assert.deepEqual(shown([six, four]), ["opa opa-a 10.0.0.1:8443 true https", "opa opa-b fd00::2:8443 true https"])
})

test("a pod that moves from one slice to another counts once, ready if it is in either", () => {
  const slices = [
    slice({ endpoints: [pod("opa-0", "10.0.0.1", false)] }),
    slice({ endpoints: [pod("opa-0", "10.0.0.2")] }),
  ]
  assert.deepEqual(shown(slices), ["opa opa-0 10.0.0.2:8443 true https"])
  assert.deepEqual(shown(slices.toReversed()), ["opa opa-0 10.0.0.2:8443 true https"])
})

test("pods that are not ready are there, marked", () => {
  assert.deepEqual(shown([slice({ endpoints: [pod("opa-a", "10.0.0.1", false)] })]), [
    "opa opa-a 10.0.0.1:8443 false https",
  ])
})

test("a pod behind two services is a replica of both", () => {
  const endpoints = [pod("opa-a", "10.0.0.1")]
  assert.deepEqual(shown([slice({ endpoints }), slice({ endpoints, service: "second" })]), [
    "opa opa-a 10.0.0.1:8443 true https",
    "second opa-a 10.0.0.1:8443 true https",
  ])
})

test("an address without a pod has its address as name", () => {
  assert.deepEqual(shown([slice({ endpoints: [pod(undefined, "192.0.2.1")] })]), [
    "opa 192.0.2.1 192.0.2.1:8443 true https",
  ])
})

test("the port is the one of the settings, by name or number, or else the first", () => {
  const ports = [...PORTS, { name: "plain", port: 8181, appProtocol: "http" }]
  const slices = [slice({ ports, endpoints: [pod("opa-a", "10.0.0.1")] })]
  assert.deepEqual(shown(slices), ["opa opa-a 10.0.0.1:8443 true https"])
  assert.deepEqual(shown(slices, "plain"), ["opa opa-a 10.0.0.1:8181 true http"])
  assert.deepEqual(shown(slices, "8181"), ["opa opa-a 10.0.0.1:8181 true http"])
  assert.deepEqual(shown(slices, "8282"), ["opa opa-a 10.0.0.1:8282 true undefined"])
})

test("one name of a port may mean another number in each slice", () => {
  const other = [{ name: "https", port: 9443, appProtocol: "" }]
  assert.deepEqual(
    shown(
      [slice({ endpoints: [pod("a", "10.0.0.1")] }), slice({ ports: other, endpoints: [pod("b", "10.0.0.2")] })],
      "https",
    ),
    ["opa a 10.0.0.1:8443 true https", "opa b 10.0.0.2:9443 true https"],
  )
})

test("a service without that port is a fault, with the ports that it has", () => {
  const slices = [slice({ endpoints: [pod("opa-a", "10.0.0.1")] }), slice({ service: "bare", ports: [] })]
  assert.deepEqual(podsIn(slices, "policy", "mgmt"), {
    targets: [],
    faults: ["The service opa has no port mgmt; it has: https (8443)."],
  })
})

test("a service of which some pods lack the port is a fault too, and the others are read", () => {
  const slices = [
    slice({ endpoints: [pod("opa-a", "10.0.0.1")] }),
    slice({ ports: [{ name: "mgmt", port: 8282, appProtocol: "" }], endpoints: [pod("opa-b", "10.0.0.2")] }),
  ]
  assert.deepEqual(shown(slices, "mgmt"), ["opa opa-b 10.0.0.2:8282 true undefined"])
  assert.deepEqual(podsIn(slices, "policy", "mgmt").faults, [
    "The service opa has no port mgmt for some of its pods; it has: https (8443).",
  ])
})

test("a pod that is left without the port in an older slice is no fault", () => {
  const endpoints = [pod("opa-a", "10.0.0.1")]
  const ports = [{ name: "mgmt", port: 8282, appProtocol: "" }]
  assert.deepEqual(podsIn([slice({ endpoints }), slice({ endpoints, ports })], "policy", "mgmt").faults, [])
})

test("a slice of the API: what has no condition is ready", () => {
  const metadata = { name: "opa-x7k", labels: { "kubernetes.io/service-name": "opa" } }
  const endpoints = [
    { addresses: ["10.0.0.1"], conditions: {}, nodeName: "node-1", targetRef: { kind: "Pod", name: "opa-a" } },
    { addresses: ["10.0.0.2"], conditions: { ready: false }, targetRef: { kind: "Node", name: "n" } },
    { addresses: ["10.0.0.3"], conditions: { ready: null }, nodeName: null },
  ]
  const ports = [
    { name: "https", port: 8443, protocol: "TCP" },
    { name: "any", port: null },
  ]
  assert.deepEqual(sliceOf({ metadata, addressType: "IPv4", ports, endpoints }), {
    service: "opa",
    addressType: "IPv4",
    ports: [{ name: "https", port: 8443, appProtocol: "" }],
    endpoints: [
      pod("opa-a", "10.0.0.1", true, "node-1"),
      pod(undefined, "10.0.0.2", false),
      pod(undefined, "10.0.0.3"),
    ],
  })
})

test("ports of UDP and SCTP are none of OPA's, with any name, in slices and Endpoints", () => {
  const metadata = { name: "opa", labels: { "kubernetes.io/service-name": "opa" } }
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "sctp", port: 54, protocol: "SCTP" },
    { name: "https", port: 8443, protocol: "UDP" },
    { name: "https", port: 8444, protocol: "TCP" },
  ]
  const address = "10.0.0.1"
  const sliced = sliceOf({ metadata, addressType: "IPv4", ports, endpoints: [{ addresses: [address] }] })
  const older = slicesOf({ metadata, subsets: [{ ports, addresses: [{ ip: address }] }] })
  for (const slices of [[sliced], older]) {
    assert.deepEqual(shown(slices), ["opa 10.0.0.1 10.0.0.1:8444 true https"])
    assert.deepEqual(shown(slices, "https"), ["opa 10.0.0.1 10.0.0.1:8444 true https"])
    assert.deepEqual(podsIn(slices, "policy", "dns").faults, ["The service opa has no port dns; it has: https (8444)."])
  }
})

test("a slice without ports and endpoints, as of a service that selects nothing, is empty", () => {
  const metadata = { name: "opa-x7k", labels: { "kubernetes.io/service-name": "opa" } }
  const empty = { service: "opa", addressType: "IPv4", ports: [], endpoints: [] }
  assert.deepEqual(sliceOf({ metadata, addressType: "IPv4", ports: null, endpoints: null }), empty)
  assert.deepEqual(podsIn([empty], "policy", "https"), { targets: [], faults: [] })
})

test("Endpoints hold the same, in subsets", () => {
  const targetRef = { kind: "Pod", name: "opa-a" }
  const subset = {
    addresses: [{ ip: "10.0.0.1", nodeName: "node-1", targetRef }],
    notReadyAddresses: [{ ip: "10.0.0.2" }],
    ports: [{ name: "https", port: 8443 }],
  }
  const object = { metadata: { name: "opa" }, subsets: [subset, { ports: null }] }
  assert.deepEqual(shown(slicesOf(object as never)), [
    "opa 10.0.0.2 10.0.0.2:8443 false https",
    "opa opa-a 10.0.0.1:8443 true https",
  ])
})
