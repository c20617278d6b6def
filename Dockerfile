# docker build -t macro-ase . ; docker run --rm -v "$PWD:/work" macro-ase doctor
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /src/
COPY macro_ase /src/macro_ase
COPY potentials /src/potentials
COPY lammps_inputs /src/lammps_inputs
RUN pip install --no-cache-dir '/src[learn]' && rm -rf /src && useradd --create-home user
USER user
WORKDIR /work
ENV NUMBA_CACHE_DIR=/tmp/macro_ase OMP_NUM_THREADS=1 MPLBACKEND=Agg
ENTRYPOINT ["macro-ase"]
CMD ["--help"]
