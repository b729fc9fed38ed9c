/** The script of the crisis board: it makes the page that the server sent a live one. */

import { LiveBoard } from "./live_board";
import { StatusLine } from "./status_line";

const board = document.getElementById("board");
const line = document.getElementById("board-state");
if (board && line) new LiveBoard(board, new StatusLine(line));
