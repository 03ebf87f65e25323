# One image for every role: `serve` on an embedded database by default, `serve --role api|append|project` beside MySQL and
# Redis (see docker-compose.yml), and every other `recount` command.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY migrations ./migrations
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:22-bookworm-slim
WORKDIR /app
ENV HOST=0.0.0.0 DATA_DIR=/data
COPY package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY bin ./bin
COPY scripts/docker-entrypoint.sh scripts/healthcheck.js scripts/makeSecrets.js ./scripts/
COPY test/fixtures ./test/fixtures
# Volumes take the owner of the directory that they cover, and the program is not root.
RUN mkdir /data /secrets && chown node:node /data /secrets
USER node
EXPOSE 1055
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["node", "scripts/healthcheck.js"]
ENTRYPOINT ["scripts/docker-entrypoint.sh"]
CMD ["serve"]
