import { inGroup, on, setting, settings, text } from "#core/config/settings.ts"
import { federationSettings } from "../federation/settings.ts"

const { sitesFile } = federationSettings

/** A site is named by its entry in sites.yaml, or described by flags where there is no such file: at the site itself. */
export const doctorSettings = {
  ...inGroup("Sites of the portal", {
    sitesFile,
    all: setting(on, { flag: "--all", help: "Check all sites of the file", env: [] }, "false"),
  }),
  ...inGroup("A site without a portal", {
    url: setting(text, { flag: "--url <url>", help: "Check the proxy at this URL, without /federate", env: [] }),
    tokenFile: setting(text, {
      flag: "--token-file <file>",
      help: "Send the bearer token in this file",
      env: [],
    }),
    match: settings(
      text,
      {
        flag: "--match <selector>",
        help: "Request these series; may be repeated",
        env: [],
        defaultText: "those of project usage",
      },
      [],
    ),
    caFile: setting(text, {
      flag: "--ca-file <file>",
      help: "Trust these certificates, in place of the public ones",
      env: [],
    }),
    serverName: setting(text, {
      flag: "--server-name <name>",
      help: "Expect this name in the certificate, in place of the host of --url",
      env: [],
    }),
    certFile: setting(text, {
      flag: "--cert-file <file>",
      help: "Present this client certificate, with --key-file",
      env: [],
    }),
    keyFile: setting(text, { flag: "--key-file <file>", help: "Read its private key from this file", env: [] }),
  }),
  json: setting(
    on,
    { flag: "--json", help: "Print JSON, as the portal's API does", env: [], group: "Output" },
    "false",
  ),
}
