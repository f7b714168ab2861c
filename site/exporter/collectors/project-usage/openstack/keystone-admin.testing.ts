import type { RunningOpenStack } from "../../../../../dev/testing/openstack.ts"

export interface Admin {
  readonly userId: string
  readonly projectId: string
  token(): Promise<string>
  call(method: string, path: string, body?: unknown): Promise<unknown>
  /** The id of a new one, in the domain. */
  user(name: string, password: string, domainId?: string): Promise<string>
  /** Gives a role on what the path names. */
  grant(path: string, role: string): Promise<void>
  applicationCredential(name: string): Promise<{ readonly id: string; readonly secret: string }>
}

/** What an operator does with Keystone, by its API and without the code under test. */
export async function adminOf({ authUrl, openrc }: RunningOpenStack): Promise<Admin> {
  const signIn = async () => {
    const user = {
      name: openrc.OS_USERNAME,
      domain: { name: openrc.OS_USER_DOMAIN_NAME },
      password: openrc.OS_PASSWORD,
    }
    const project = { name: openrc.OS_PROJECT_NAME, domain: { id: openrc.OS_PROJECT_DOMAIN_ID } }
    const response = await fetch(`${authUrl}/auth/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope: { project } } }),
    })
    const { token } = (await response.json()) as { token: { user: { id: string }; project: { id: string } } }
    return { id: response.headers.get("x-subject-token") ?? "", userId: token.user.id, projectId: token.project.id }
  }
  const { userId, projectId } = await signIn()
  const token = async (): Promise<string> => (await signIn()).id
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(authUrl + path, {
      method,
      headers: { "content-type": "application/json", "x-auth-token": await token() },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === "" ? undefined : JSON.parse(text)
  }
  return {
    userId,
    projectId,
    token,
    call,
    async user(name, password, domainId = "default") {
      const { user } = (await call("POST", "/users", { user: { name, password, domain_id: domainId } })) as {
        user: { id: string }
      }
      return user.id
    },
    async grant(path, role) {
      const { roles } = (await call("GET", `/roles?name=${role}`)) as { roles: { id: string }[] }
      await call("PUT", `${path}/${roles[0]?.id}`)
    },
    async applicationCredential(name) {
      const { application_credential: made } = (await call("POST", `/users/${userId}/application_credentials`, {
        application_credential: { name },
      })) as { application_credential: { id: string; secret: string } }
      return made
    },
  }
}
