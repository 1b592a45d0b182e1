#!/usr/bin/env bash
# Talk to documents with a model that vLLM serves; it reads a document once and keeps it for the next question.
#
#     examples/chat_with_vllm.sh Qwen/Qwen3-8B
#     BASE_URL=http://gpu-box:8000/v1 examples/chat_with_vllm.sh Qwen/Qwen3-8B --port 7861
#
# Without BASE_URL, `vllm serve` is started here and ends with the page. Further options go to `longalpaca chat`.
set -euo pipefail
model=$1
shift
if [[ -z ${BASE_URL:-} ]]; then
    vllm serve "$model" --host 127.0.0.1 --port 8000 --enable-prefix-caching &
    trap 'kill $!' EXIT
    BASE_URL=http://127.0.0.1:8000/v1
fi
until curl --silent --fail --output /dev/null "$BASE_URL/models"; do
    sleep 1
done
longalpaca chat --model "$BASE_URL#$model" "$@"
