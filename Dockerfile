# One image for every program; docker-compose.yml chooses the command.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/gridyard \
 && /opt/gridyard/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY contracts contracts
COPY certs certs
COPY gateway gateway
COPY site_agent site_agent
COPY vtn_sim vtn_sim
COPY depot_sim depot_sim
COPY gridyard gridyard
RUN /opt/gridyard/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
# The folders that docker-compose.yml mounts volumes on; a new volume takes over their owner.
RUN useradd --create-home --uid 10001 gridyard && mkdir /data /keys && chown gridyard /data /keys
COPY --from=build /opt/gridyard /opt/gridyard
ENV PATH=/opt/gridyard/bin:$PATH PYTHONUNBUFFERED=1
USER gridyard
WORKDIR /data
ENTRYPOINT ["gridyard"]
CMD ["doctor"]
