import {
  duration,
  inGroup,
  on,
  oneOf,
  type Parse,
  setting,
  trimmed,
  type Values,
  whole,
  Wrong,
} from "#core/config/settings.ts"
import { kubernetesSettings } from "#core/kubernetes/settings.ts"
import { ID_SOURCES } from "./identity.ts"

const octal: Parse<number> = (value) =>
  /^0?[0-7]{3}$/.test(value.trim()) ? Number.parseInt(value, 8) : new Wrong("must be a mode such as 0600 or 0640")

export const clusterIdentitySettings = {
  ...inGroup("What the cluster is", {
    namespace: setting(
      trimmed,
      { flag: "-n, --namespace <name>", help: "Read Machines of this namespace" },
      "openshift-machine-api",
    ),
    idSource: setting(
      oneOf(ID_SOURCES),
      { flag: "--cluster-id-source <source>", help: `Read the cluster id here: ${ID_SOURCES.join(", ")}` },
      "auto",
    ),
    region: setting(trimmed, {
      flag: "--region <name>",
      help: "Write this region, in place of the one that the cluster names",
    }),
  }),
  ...inGroup("Credentials", {
    accessKeySource: setting(trimmed, {
      flag: "-a, --access-key-source <file>",
      help: "Read the access key id from this file",
      defaultText: "/secrets/aws_access_key_id, or in /rawsecrets",
    }),
    secretKeySource: setting(trimmed, {
      flag: "-A, --secret-key-source <file>",
      help: "Read the secret access key from this file",
      defaultText: "/secrets/aws_secret_access_key, or in /rawsecrets",
    }),
    credentialsSource: setting(trimmed, {
      flag: "--credentials-source <file>",
      help: "Copy this file as it is, which is ready-made, as for STS",
      defaultText: "/secrets/credentials, or in /rawsecrets, where there are no keys",
    }),
    optionalCredentials: setting(
      on,
      { flag: "--optional-credentials", help: "Go without credentials where there is no source of any" },
      "false",
    ),
  }),
  ...inGroup("Files", {
    clusterIdFile: setting(
      trimmed,
      { flag: "-c, --cluster-id-file <file>", help: "Write the cluster id to this file" },
      "/config/env/CLUSTERID",
    ),
    regionFile: setting(
      trimmed,
      { flag: "-r, --region-file <file>", help: "Write the region to this file" },
      "/secrets/aws/config.ini",
    ),
    credentialsFile: setting(
      trimmed,
      { flag: "-o, --credentials-file <file>", help: "Write the credentials to this file" },
      "/secrets/aws/credentials.ini",
    ),
    mode: setting(octal, { flag: "--mode <mode>", help: "Give the files this mode" }, "0600"),
    dirMode: setting(octal, { flag: "--dir-mode <mode>", help: "Give folders that are made this mode" }, "0755"),
    group: setting(whole(0, 4_294_967_294), {
      flag: "--group <number>",
      help: "Give files, and folders that are made, to this group",
      defaultText: "that of the process, or of the folder where that is setgid",
    }),
  }),
  ...inGroup("What is done", {
    timeout: setting(
      duration(0.1),
      { flag: "--timeout <duration>", help: "Retry failed requests to Kubernetes for at most this long" },
      "60s",
    ),
    dryRun: setting(on, { flag: "--dry-run", help: "Show what would be written, and write nothing" }, "false"),
    outputFormat: setting(
      oneOf(["text", "json"]),
      { flag: "--output-format <format>", help: "Print the result as text or json; never the credentials" },
      "text",
    ),
    watch: setting(on, { flag: "--watch", help: "Go on, and write again when the credentials are rotated" }, "false"),
  }),
  ...inGroup("Kubernetes", kubernetesSettings),
}

export type ClusterIdentityValues = Values<typeof clusterIdentitySettings>
