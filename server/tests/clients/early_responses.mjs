// Sends requests that are answered before their bodies are read, each followed by another request,
// over one keep-alive agent. Arguments: the address, the sizes of the bodies. Prints the statuses.
import http from "node:http";

const [address, ...sizes] = process.argv.slice(2);
const [host, port] = address.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const errors = [];

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, host, port, method, path }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
      response.on("error", reject);
    });
    // Also after the response: such an error ends a program that does not expect it.
    request.on("error", (error) => {
      errors.push(error.code);
      reject(error);
    });
    request.end(body);
  });
}

const statuses = [];
for (const size of sizes) {
  const body = Buffer.alloc(Number(size), "x");
  for (const [method, path] of [
    ["PUT", "/session/shop"],
    ["POST", "/nothing"],
    ["POST", "/healthz"],
    ["POST", "/rpc"],
  ]) {
    statuses.push(await send(method, path, body));
    statuses.push(await send("GET", "/healthz"));
  }
}
await new Promise((resolve) => setTimeout(resolve, 100));
agent.destroy();
console.log([...statuses, ...errors].join(" "));
