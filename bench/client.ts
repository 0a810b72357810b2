/** What the load generator asks of a Loom server: submit, wait, and read a stream with the time of each event's arrival. */

export async function submit(url: string, body: Record<string, unknown>): Promise<string> {
  const answer = await fetch(`${url}/tasks`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`POST /tasks: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { task_id: string }).task_id;
}

export async function finished(url: string, taskId: string): Promise<void> {
  const view = (await (await fetch(`${url}/tasks/${taskId}?wait=60`)).json()) as { status: string; errors: unknown };
  if (view.status !== "completed") throw new Error(`Task ${taskId} is ${view.status}: ${JSON.stringify(view.errors)}`);
}

/** Until the plan is made and a person is asked about it. */
export async function asked(url: string, taskId: string): Promise<void> {
  for (;;) {
    const view = (await (await fetch(`${url}/tasks/${taskId}`)).json()) as { status: string };
    if (view.status === "waiting_approval") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** @returns for each durable event: milliseconds from its timestamp to its arrival here */
export async function streamLatencies(url: string, taskId: string): Promise<number[]> {
  const answer = await fetch(`${url}/tasks/${taskId}/stream?tokens=false`);
  const latencies: number[] = [];
  if (answer.body === null) return latencies;
  const opened = Date.now();
  let rest = "";
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    const at = performance.timeOrigin + performance.now();
    const frames = (rest + chunk).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const stamp = /"timestamp":"([^"]+)"/.exec(frame)?.[1];
      if (stamp !== undefined && Date.parse(stamp) > opened) latencies.push(at - Date.parse(stamp));
    }
  }
  return latencies;
}
