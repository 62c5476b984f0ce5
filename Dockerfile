# Perch in a container: docs/deploy/docker.md
# No VOLUME: Railway refuses it. Mount one at /data, and name the file: SQLITE_PATH=/data/chat.db
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
# Pages found by meaning, too, for 150 MB: --build-arg VECTORS=1
ARG VECTORS=
COPY requirements-vectors.txt ./
RUN test -z "$VECTORS" || /venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-vectors.txt
# Optional parts: --build-arg EXTRAS=sentry,otel
ARG EXTRAS=
COPY pyproject.toml LICENSE README.md ./
COPY app app
# Constraints without their hashes, which pip refuses for a folder.
RUN test -z "$EXTRAS" || { sed -e 's/ *\\$//' -e '/^ *--hash/d' requirements.txt > /tmp/constraints.txt \
    && /venv/bin/pip install --no-cache-dir -c /tmp/constraints.txt ".[$EXTRAS]"; }
COPY wsgi.py gunicorn.conf.py ./
COPY widget_dist widget_dist
# Compiled here: the user below may not write, and an uncompiled start takes three times as long.
RUN /venv/bin/python -m compileall -q app wsgi.py

FROM python:${PYTHON_VERSION}-slim
# Group 0 may write /data: some platforms choose a user of their own, in that group.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin perch && install -d -o perch -g 0 -m 2775 /data
COPY --from=build /venv /venv
COPY --from=build /app/app /app/app
COPY --from=build /app/widget_dist /app/widget_dist
COPY --from=build /app/wsgi.py /app/gunicorn.conf.py /app/
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 APP_ENV=production SPOOL_PATH=/data/spool
USER perch
EXPOSE 4000
STOPSIGNAL SIGTERM
# Without the proxies of the environment, which do not lead to this machine.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:' + (os.environ.get('PORT') or '4000') + '/health', timeout=2)"]
# gunicorn reads this one variable before any file of ours, and a traceback is its answer to nothing, or
# to quotes, which docker's --env-file hands on.
ENTRYPOINT ["sh", "-c", "export WEB_CONCURRENCY=$(printf %s \"$WEB_CONCURRENCY\" | tr -d '\\042\\047'); test -n \"$WEB_CONCURRENCY\" || unset WEB_CONCURRENCY; exec \"$0\" \"$@\""]
CMD ["gunicorn"]
