import assert from "node:assert/strict"
import { test } from "node:test"
import { parseOpenrc } from "./openrc.ts"

const HORIZON = `#!/usr/bin/env bash
# To use an OpenStack cloud you need to authenticate against the Identity service.
export OS_AUTH_URL=https://cloud.example.org:5000
export OS_PROJECT_ID=cafe
export OS_PROJECT_NAME="usage of all"
export OS_USER_DOMAIN_NAME="Default"
if [ -z "$OS_USER_DOMAIN_NAME" ]; then unset OS_USER_DOMAIN_NAME; fi
export OS_PROJECT_DOMAIN_ID="default"
if [ -z "$OS_PROJECT_DOMAIN_ID" ]; then unset OS_PROJECT_DOMAIN_ID; fi
unset OS_TENANT_ID
unset OS_TENANT_NAME
export OS_USERNAME="ann"
echo "Please enter your OpenStack Password for project $OS_PROJECT_NAME as user $OS_USERNAME: "
read -sr OS_PASSWORD_INPUT
export OS_PASSWORD=$OS_PASSWORD_INPUT
export OS_REGION_NAME="north"
if [ -z "$OS_REGION_NAME" ]; then unset OS_REGION_NAME; fi
export OS_INTERFACE=public
`

test("reads values as a shell would: bare, quoted, exported, escaped, with comments and Windows' line ends", () => {
  const text = `\uFEFF# comment
A=bare
export B='single $quoted "value"'
  export   C="double \\"quoted\\" \\$5 \\\\ 'x'"   # a comment
D=a'b'"c"d#e
E=a\\ b\\#c
F=
G=""
H=ümläut\r
export A B
I=p@ss!w*rd{1}?
`
  assert.deepEqual(parseOpenrc(text, "rc"), {
    A: "bare",
    B: 'single $quoted "value"',
    C: "double \"quoted\" $5 \\ 'x'",
    D: "abcd#e",
    E: "a b#c",
    F: "",
    G: "",
    H: "ümläut",
    I: "p@ss!w*rd{1}?",
  })
})

test("reports which line of the dashboard's file reads the password, and accepts the file when that is replaced", () => {
  assert.throws(() => parseOpenrc(HORIZON, "rc"), {
    name: "ConfigurationError",
    message:
      "rc:14: reads OS_PASSWORD from a terminal, and there is none. Replace this line by OS_PASSWORD='…', and keep the file to yourself: chmod 600",
  })
  const expected = {
    OS_AUTH_URL: "https://cloud.example.org:5000",
    OS_PROJECT_ID: "cafe",
    OS_PROJECT_NAME: "usage of all",
    OS_USER_DOMAIN_NAME: "Default",
    OS_PROJECT_DOMAIN_ID: "default",
    OS_USERNAME: "ann",
    OS_PASSWORD: "s3$cret",
    OS_REGION_NAME: "north",
    OS_INTERFACE: "public",
  }
  assert.deepEqual(parseOpenrc(HORIZON.replace("read -sr OS_PASSWORD_INPUT", "OS_PASSWORD='s3$cret'"), "rc"), expected)
  const { OS_PASSWORD_INPUT, ...rest } = parseOpenrc(
    HORIZON.replace("read -sr ", "").replace("_INPUT\n", "_INPUT='s3$cret'\n"),
    "rc",
  )
  assert.deepEqual([OS_PASSWORD_INPUT, rest], ["s3$cret", expected])
})

test("reports every line that needs a shell, and never a value", () => {
  const text = `OS_A=$(cat SECRET)
OS_B="\`SECRET\`"
OS_C="$SECRET"
OS_D=SECRET;x
OS_E="SECRET
OS_F='SECRET' SECRET
source SECRET
OS_G = SECRET
`
  const literally = (name: string) =>
    `the value of ${name} cannot be read without a shell. Write it literally, in single quotes where it holds $, \` or a blank`
  const neither =
    "is neither NAME=value, with or without export, nor a comment. Shell commands are not run: write the values literally"
  assert.throws(() => parseOpenrc(text, "rc"), {
    message: ["A", "B", "C", "D", "E", "F"]
      .map((letter, index) => `rc:${index + 1}: ${literally(`OS_${letter}`)}`)
      .concat(`rc:7: ${neither}`, `rc:8: ${neither}`)
      .join("\n"),
  })
})
