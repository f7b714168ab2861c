import { conditionFamilies } from "../families/conditions.ts"
import { kuadrantPolicy } from "../families/policies.ts"
import { numberOf, single } from "../family.ts"
import { entries, field } from "../fields.ts"
import { label } from "../labels.ts"
import { kind, KUADRANT } from "../kind.ts"

const recordConditions = field("status.recordConditions")
const totalRecords = field("status.totalRecords")

export const dnsPolicy = kind(
  "DNSPolicy",
  "dnspolicies",
  [
    ...kuadrantPolicy,
    ...conditionFamilies({
      suffix: "status_records",
      of: "the DNS records of a root host",
      verdicts: (object) =>
        entries(recordConditions(object)).map(([host, conditions]) => ({
          labels: label("root_host", host),
          conditions,
        })),
    }),
    single("status_total_records", "How many DNS records the policy is in force for.", (object) =>
      numberOf(totalRecords(object)),
    ),
  ],
  [KUADRANT],
)
