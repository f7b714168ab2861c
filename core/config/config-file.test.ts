import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { z } from "zod"
import { parseTomlText, parseYaml, readTomlFile, readYamlFile } from "./config-file.ts"
import { ConfigurationError } from "#core/errors.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { processorTime } from "../../dev/testing/processor-time.ts"

const site = z.strictObject({
  name: z.string(),
  url: z.url().optional(),
  match: z.array(z.array(z.string())).optional(),
  token: z
    .union([z.string(), z.strictObject({ file: z.string() }), z.strictObject({ env: z.string(), trim: z.boolean() })])
    .optional(),
})
const schema = z.strictObject({ sites: z.array(site), labels: z.record(z.string(), z.string()).optional() })

function faults(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    assert.ok(error instanceof ConfigurationError)
    return error.message
  }
  return "none"
}

const yaml: readonly (readonly [what: string, text: string, faults: string])[] = [
  ["an empty file", "", "f: is empty; it must be a map"],
  ["only a comment", "# nothing\n", "f: is empty; it must be a map"],
  ["a list in place of a map", "- a\n", "f:1:1: must be a map"],
  [
    "faults all over, in the order of the schema, unknown keys with their own place",
    `sites:
  - name: a
    url: no url
    match: [[a], [b, 3]]
    colour: red
    size: 3
  - url: http://a
labels:
  a: 1
extra: {}
`,
    `f:3:5 sites[0].url: Invalid URL
f:4:22 sites[0].match[1][1]: must be text
f:5:5 sites[0].colour: unknown key
f:6:5 sites[0].size: unknown key
f:7:5 sites[1].name: is missing; it must be text
f:9:3 labels.a: must be text
f:10:1 extra: unknown key`,
  ],
  [
    "the branch of a union that was meant",
    "sites:\n  - {name: a, token: {file: 3}}\n  - {name: b, token: 5}\n  - {name: c, token: {path: x}}\n",
    `f:2:23 sites[0].token.file: must be text
f:3:15 sites[1].token: has none of the forms that it can have
f:4:15 sites[2].token: has none of the forms that it can have`,
  ],
  [
    "faults behind an alias, where the anchor's text stands",
    "x: &x\n  name: 3\nsites: [*x]\n",
    `f:2:3 sites[0].name: must be text
f:1:1 x: unknown key`,
  ],
  ["a key that comes twice", "sites: []\nlabels: {}\nsites: []\n", "f:3:1: not valid YAML: Map keys must be unique"],
  [
    "several mistakes of YAML",
    "a: [1\nb: 'x\n",
    "f:2:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]\nf:3:1: not valid YAML: Missing closing 'quote",
  ],
  [
    "an unknown alias",
    "sites: *none\n",
    "f: not valid YAML: Unresolved alias (the anchor must be set before the alias): none",
  ],
  ["a tab in the indentation", "sites:\n\t- name: a\n", "f:2:1: not valid YAML: Tabs are not allowed as indentation"],
  ["two documents", "sites: []\n---\nsites: []\n", "f:2:1: not valid YAML: a second document begins"],
  [
    "an unknown tag",
    "sites: !!js/function 'x'\n",
    "f:1:8: not valid YAML: Unresolved tag: tag:yaml.org,2002:js/function",
  ],
]
for (const [what, text, expected] of yaml) {
  test(`YAML: ${what}`, () =>
    assert.equal(
      faults(() => parseYaml(text, "f", schema)),
      expected,
    ))
}

test("YAML: a byte order mark and Windows' line ends are no fault and do not move places", () => {
  assert.deepEqual(parseYaml("\uFEFFsites:\r\n  - name: a\r\n", "f", schema).value, { sites: [{ name: "a" }] })
  assert.equal(
    faults(() => parseYaml("\uFEFFsites:\r\n  - nam: a\r\n    name: b\r\n", "f", schema)),
    "f:2:5 sites[0].nam: unknown key",
  )
})

test("YAML: aliases that unfold to billions are refused quickly", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
  for (let level = 1; level < 12; level += 1)
    lines.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(", ")}]`,
    )
  const took = processorTime(() =>
    assert.match(
      faults(() => parseYaml(lines.join("\n"), "f", z.unknown())),
      /^f: not valid YAML: Excessive alias count/,
    ),
  )
  assert.ok(took < 1000, `${took} ms`)
})

test("YAML: an anchor that holds itself is a fault, not an endless loop", () => {
  assert.match(
    faults(() => parseYaml("a: &a [*a]\n", "f", schema)),
    /^f:1:1 a: unknown key|^f: /m,
  )
})

test("YAML: a secret of the wrong type is not shown", () => {
  assert.doesNotMatch(
    faults(() => parseYaml("sites: [{name: [SECRET], url: SECRET}]\nlabels: SECRET\n", "f", schema)),
    /SECRET/,
  )
})

test("the place of a key is known after reading too, for faults across entries", () => {
  const { where } = parseYaml("sites:\n  - name: a\n  - name: a\n", "f", schema)
  assert.equal(where(["sites", 1, "name"]), "f:3:5 sites[1].name")
  assert.equal(where(["sites", 1, "url"]), "f:3:5 sites[1].url")
  assert.equal(where([]), "f:1:1")
})

const weights = z.strictObject({
  projects: z
    .strictObject({
      "a.b": z.strictObject({ size: z.number() }).optional(),
      c: z.strictObject({ d: z.number(), e: z.number().optional() }).optional(),
    })
    .optional(),
  machines: z
    .array(z.strictObject({ name: z.string(), tags: z.array(z.strictObject({ key: z.string() })).optional() }))
    .optional(),
})
const toml: readonly (readonly [what: string, text: string, faults: string])[] = [
  ["an empty file is an empty table", "", "none"],
  ["a syntax fault", 'machines = [\n  "a\n', "f:2:5: not valid TOML: control characters are not allowed in strings"],
  [
    "a table twice",
    "[projects.c]\nd = 1\n[projects.c]\n",
    "f:3:2: not valid TOML: trying to redefine an already defined table or value",
  ],
  ["a quoted key of a header", '[projects."a.b"]\nsize = "x"\n', "f:2 projects.a.b.size: must be a number"],
  ["a dotted key", '[projects]\nc.d = "x"\nc.e = 1\n', "f:2 projects.c.d: must be a number"],
  ["a quoted key in a dotted one", 'projects."a.b".size = "x"\n', "f:1 projects.a.b.size: must be a number"],
  [
    "arrays of tables, and arrays in them",
    '[[machines]]\nname = "a"\n[[machines.tags]]\nkey = "x"\n[[machines.tags]]\nkey = 1\n\n[[machines]]\nname = 2\n[[machines.tags]]\nkey = 3\nother = 1\n',
    `f:6 machines[0].tags[1].key: must be text
f:9 machines[1].name: must be text
f:11 machines[1].tags[0].key: must be text
f:12 machines[1].tags[0].other: unknown key`,
  ],
  ["a missing key stands at its table", "[projects.c]\ne = 1\n", "f:1 projects.c.d: is missing; it must be a number"],
  [
    "a comment or a text that looks like a key",
    '# projects.c.d = 1\n[projects.c]\n"d" = "d = 1"\n',
    "f:3 projects.c.d: must be a number",
  ],
  ["an inline table stands at its key", 'projects = {c = {d = "x"}}\n', "f:1 projects.c.d: must be a number"],
]
for (const [what, text, expected] of toml) {
  test(`TOML: ${what}`, () =>
    assert.equal(
      faults(() => parseTomlText(text, "f", weights)),
      expected,
    ))
}

test("TOML: a byte order mark is no fault", () => {
  assert.deepEqual(parseTomlText('\uFEFF[[machines]]\nname = "a"\n', "f", weights).value, { machines: [{ name: "a" }] })
})

for (const read of [readYamlFile, readTomlFile]) {
  test(`${read.name}: a file that is not there, or is a folder, is named`, async (t) => {
    const { path } = temporaryFolder(t)
    await assert.rejects(read(`${path}/none`, schema), {
      name: "ConfigurationError",
      message: `${path}/none: cannot be read: ENOENT: no such file or directory`,
    })
    await assert.rejects(read(path, schema), {
      message: `${path}: cannot be read: it is an empty folder, as Docker makes one where a file to mount does not exist; remove it and create the file`,
    })
  })
}

test("a file that is not UTF-8 is a fault: other letters than were meant would be in force", async (t) => {
  const file = join(temporaryFolder(t).path, "latin-1.yaml")
  await writeFile(file, Buffer.from("sites: [{name: caf\xe9}]\n", "latin1"))
  await assert.rejects(readYamlFile(file, schema), {
    message: `${file}: cannot be read: it is not UTF-8; save it in this encoding`,
  })
})
