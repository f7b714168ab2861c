import { inGroup, listenAddress, setting, text } from "#core/config/settings.ts"

export const admissionSettings = inGroup("Admission webhook", {
  webAdmission: setting(listenAddress, {
    flag: "--web.admission <host:port>",
    help: "Check resources when they are applied: serve the validating admission webhook on this address, by HTTPS",
  }),
  webAdmissionConfigFile: setting(text, {
    flag: "--web.admission.config.file <file>",
    help: "Read the webhook's certificate from this file, in the format of --web.config.file",
  }),
  webAdmissionCaFile: setting(text, {
    flag: "--web.admission.ca-file <file>",
    help: "Keep the caBundle of the webhook's configuration equal to these authorities; needs rights to patch it",
  }),
  webAdmissionConfiguration: setting(
    text,
    {
      flag: "--web.admission.configuration <name>",
      help: "Keep it in this ValidatingWebhookConfiguration",
    },
    "rules-informer",
  ),
})
