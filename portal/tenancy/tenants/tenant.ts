/** The id of a tenant as Cortex and Mimir accept it in `X-Scope-OrgID`: validated, so it is safe in a header and a path. */
export type TenantId = string & { readonly tenant: unique symbol }
