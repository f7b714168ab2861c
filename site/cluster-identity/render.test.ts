import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { factsOfInfrastructure, factsOfMachine, firstFacts } from "./identity.ts"
import { clusterIdFile } from "./render.ts"

for (const id of ["demo-x7k2p", 'a"b', "$HOME", "`id`", "a\\b", "$(id)", "a'b", "!x", "ü"]) {
  test(`a shell reads ${id} from the file as it is`, async (t) => {
    const file = await temporaryFolder(t).write("CLUSTERID", clusterIdFile(id))
    assert.equal(execFileSync("sh", ["-c", `. ${file}; printf %s "$CLUSTERID"`], { encoding: "utf8" }), id)
  })
}

const PLATFORMS: readonly (readonly [platform: string, status: object, region: string | undefined])[] = [
  ["AWS", { aws: { region: "eu-central-1" } }, "eu-central-1"],
  ["GCP", { gcp: { region: "europe-west1", projectID: "p" } }, "europe-west1"],
  ["Azure", { azure: { cloudName: "AzurePublicCloud", resourceGroupName: "g" } }, undefined],
  ["OpenStack", { openstack: { cloudName: "openstack" } }, undefined],
  ["VSphere", { vsphere: {} }, undefined],
  ["None", {}, undefined],
]
for (const [platform, status, region] of PLATFORMS) {
  test(`reads the Infrastructure of ${platform}`, () => {
    const object = { status: { infrastructureName: "demo", platformStatus: { type: platform, ...status } } }
    assert.deepEqual(factsOfInfrastructure(object), { id: "demo", platform, region })
  })
}

const MACHINES: readonly (readonly [platform: string, value: object, label: string | undefined, region: string])[] = [
  [
    "AWS",
    { kind: "AWSMachineProviderConfig", placement: { region: "eu-central-1", availabilityZone: "a" } },
    "x",
    "eu-central-1",
  ],
  ["GCP", { kind: "GCPMachineProviderSpec", region: "europe-west1", zone: "b" }, undefined, "europe-west1"],
  ["Azure", { kind: "AzureMachineProviderSpec", location: "westeurope" }, undefined, "westeurope"],
  ["OpenStack", { kind: "OpenstackProviderSpec", cloudName: "openstack" }, "RegionOne", "RegionOne"],
  ["VSphere", { kind: "VSphereMachineProviderSpec" }, "dc-1", "dc-1"],
]
for (const [platform, value, label, region] of MACHINES) {
  test(`reads a Machine of ${platform}`, () => {
    const labels = { "machine.openshift.io/cluster-api-cluster": "demo", "machine.openshift.io/region": label }
    const object = { metadata: { name: "m", labels }, spec: { providerSpec: { value } } }
    assert.deepEqual(factsOfMachine(object), { id: "demo", platform, region })
  })
}

test("takes nothing from objects of another shape", () => {
  for (const object of [undefined, null, 1, { spec: null }, { status: { platformStatus: { aws: 1 } } }]) {
    assert.deepEqual(factsOfInfrastructure(object), { id: undefined, platform: undefined, region: undefined })
    assert.deepEqual(factsOfMachine(object), { id: undefined, platform: undefined, region: undefined })
  }
})

test("of several Machines the first by name counts that knows it, in whatever order the API has them", () => {
  const all = [
    { name: "c", facts: { id: "c", region: "c" } },
    { name: "a", facts: { id: "a" } },
    { name: "b", facts: { id: "b", region: "b" } },
  ]
  for (const order of [all, all.toReversed()])
    assert.deepEqual(firstFacts(order), { id: "a", region: "b", platform: undefined })
})
