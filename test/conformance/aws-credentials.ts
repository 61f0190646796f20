// The credentials that the SDK's usual chain finds from now on in this test process: those of the environment.

export function useCredentials(key: {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}): void {
  process.env["AWS_ACCESS_KEY_ID"] = key.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = key.secretAccessKey;
  delete process.env["AWS_SESSION_TOKEN"];
}
