/** Commands of several lines for the command judge: here-documents, continued lines, blocks. */

export const dangerousBlocks: readonly string[] = [
  "bash <<'END'\nrm -rf build\nEND",
  "cat <<END\n$(rm -rf build)\nEND",
  "cat <<END\n`rm -rf build`\nEND",
  "python3 - <<'END'\nimport shutil\nshutil.rmtree(\"build\")\nEND",
  "npm test\nrm -rf \\\n  build",
  "sqlite3 app.db <<END\ndelete from users;\nEND",
  "cat > .env <<'END'\nKEY=1\nEND",
  "cat <<END\nnever closed",
  "if true\nthen\n  rm -rf build\nfi",
  'while read -r f; do\n  rm -rf "$f"\ndone < list.txt',
  "cat > /tmp/x <<'END'\nhi\nEND",
  "cat <<-END | sh\n\trm -rf build\n\tEND",
];

export const harmlessBlocks: readonly string[] = [
  "cat > src/app.py <<'END'\nimport os\nprint(\"rm -rf /\")\nEND",
  "cat > query.sql <<'SQL'\ndrop table users;\nSQL",
  "npm ci\nnpm test",
  "python3 - <<'END'\nprint(sum([1, 2, 3]))\nEND",
  "npm test \\\n  --silent",
  "if grep -q foo a.txt\nthen\n  echo found\nelif grep -q bar a.txt; then\n  echo other\nelse\n  echo none\nfi",
  "cat > a.txt <<END\nhello $USER\nEND",
  "cat <<-END\n\tindented\n\tEND",
  "# a comment\nls # and another",
  "{\n  echo a\n  echo b\n} > out.txt",
  "npm test &&\n  npm run lint ||\n  echo failed",
  "ls |\n  wc -l",
];
