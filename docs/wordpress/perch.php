<?php
/**
 * Plugin Name: Perch
 * Description: Puts the Perch assistant on every page. Define PERCH_URL and PERCH_KEY in wp-config.php.
 * Version: 1.0.0
 * Requires at least: 5.7
 * License: MIT
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'wp_footer',
	function () {
		if ( ! defined( 'PERCH_URL' ) || ! defined( 'PERCH_KEY' ) ) {
			return;
		}
		$server     = untrailingslashit( PERCH_URL );
		$attributes = array(
			'src'          => $server . '/widget/chat-widget.js',
			'data-api-url' => $server . '/chat',
			'data-api-key' => PERCH_KEY,
			'data-title'   => get_bloginfo( 'name', 'raw' ),
			'data-locale'  => 'auto',
			'defer'        => true,
		);
		// Every option of docs/embed.md can be added by a filter; WordPress escapes the values.
		wp_print_script_tag( apply_filters( 'perch_attributes', $attributes ) );
	}
);
