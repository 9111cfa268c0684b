# One image for web, workers and beat; the command says which. See docker-compose.yml.
FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /venv && python -m venv /tools
COPY requirements.lock requirements-install.lock ./
RUN /venv/bin/pip install --require-hashes -r requirements.lock \
    && /tools/bin/pip install --require-hashes -r requirements-install.lock
COPY pyproject.toml README.md ./
COPY connectors connectors
COPY mapping mapping
COPY sync sync
COPY webui webui
COPY config config
RUN /tools/bin/hatchling build -t wheel -d /wheels \
    && /venv/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.11-slim-trixie
# pg_dump and pg_restore for `kehub backup`; at least as new as the server in docker-compose.yml.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 kehub \
    && useradd --uid 10001 --gid kehub --no-create-home --home-dir /var/lib/kehub kehub \
    && install -d -o kehub -g kehub -m 0700 /var/lib/kehub
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    KEHUB_HOME=/var/lib/kehub \
    KEHUB_PORT=8000
WORKDIR /var/lib/kehub
USER kehub
VOLUME /var/lib/kehub
EXPOSE 8000
CMD ["gunicorn", "--no-control-socket", "-k", "gthread", "--workers", "2", "--threads", "32", \
     "--bind", "0.0.0.0:8000", "webui.app:wsgi"]
