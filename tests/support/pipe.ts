/** A named pipe that nobody writes to: who opens it as a file waits for ever. */
export function makePipe(path: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["mkfifo", path]);
  if (exitCode !== 0) throw new Error(`mkfifo: ${stderr}`);
}
